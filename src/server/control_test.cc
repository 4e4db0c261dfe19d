#include "server/control.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "server/test_caller.h"

namespace lockgate::server {
namespace {

using loop::Task;
using nlohmann::json;
using namespace std::chrono_literals;

class Obedient final : public Commands {
 public:
  Task<json> handle(json request, std::string asker) override {
    ++asked;
    last_asker = std::move(asker);
    if (request["command"] == "fail") co_await loop::fail(Errc::no_resources, "obeying");
    if (request["command"] == "large") co_return json{{"ok", true}, {"message", std::string(1 << 20, 'x')}};
    if (request["command"] == "latin") co_return json{{"ok", true}, {"message", "caf\xe9"}};
    co_return json{{"ok", true}, {"message", "done\nwell"}, {"request", request}};
  }
  int asked = 0;
  std::string last_asker;
};

mode_t mode_of(const std::string& path) {
  struct stat file{};
  return ::lstat(path.c_str(), &file) == 0 ? file.st_mode & 07777 : 0;
}

class ControlTest : public testing::Test {
 protected:
  ControlTest() {
    std::string name = testing::TempDir() + "/lockgate-XXXXXX";
    folder = ::mkdtemp(name.data());
    path = folder + "/run/control.sock";
  }
  ~ControlTest() override { std::filesystem::remove_all(folder); }
  std::expected<std::unique_ptr<ControlSocket>, std::string> open() {
    return ControlSocket::open(reactor, path, commands);
  }
  std::string exchange(std::string_view request, bool finish = false) {
    Caller caller(reactor, SocketAddress::unix_path(path));
    caller.send(request);
    if (finish) caller.finish();
    return caller.receive_all();
  }

  ManualClock clock;
  loop::Reactor reactor{clock};
  Obedient commands;
  std::string folder, path;
};

TEST_F(ControlTest, AnswersALineWithALine) {
  auto socket = open();
  ASSERT_TRUE(socket);
  EXPECT_EQ(exchange("{\"command\": \"status\"}\n"),
            "{\"message\":\"done\\nwell\",\"ok\":true,\"request\":{\"command\":\"status\"}}\n");
  EXPECT_TRUE(exchange("{\"command\": \"status\"}", true).contains("\"ok\":true"));
}

TEST_F(ControlTest, KnowsWhoHasAsked) {
  auto socket = open();
  ASSERT_TRUE(socket);
  exchange("{\"command\": \"status\"}\n");
  EXPECT_EQ(commands.last_asker,
            "user " + std::to_string(::getuid()) + ", process " + std::to_string(::getpid()));
}

TEST_F(ControlTest, IsItsOwnersAloneInAFolderThatAllMaySee) {
  mode_t before = ::umask(0077);
  auto socket = open();
  ::umask(before);
  ASSERT_TRUE(socket);
  EXPECT_EQ(mode_of(path), 0600u);
  EXPECT_EQ(mode_of(folder + "/run"), 0755u);
}

TEST_F(ControlTest, LeavesTheModeOfAFolderThatWasThere) {
  ASSERT_EQ(::mkdir((folder + "/run").c_str(), 0700), 0);
  auto socket = open();
  EXPECT_TRUE(socket);
  EXPECT_EQ(mode_of(folder + "/run"), 0700u);
}

TEST_F(ControlTest, TakesThePlaceOfADeadOneOnly) {
  ASSERT_EQ(::mkdir((folder + "/run").c_str(), 0755), 0);
  {
    auto dead = net::listen(SocketAddress::unix_path(path), {});
  }
  auto socket = open();
  ASSERT_TRUE(socket);
  auto second = open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error(), "control socket " + path + ": another process answers there");
  EXPECT_TRUE(exchange("{\"command\": \"status\"}\n").contains("\"ok\":true"));
  socket->reset();
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(ControlTest, TellsWhyItCannotOpen) {
  path = folder + "/no/such/control.sock";
  EXPECT_EQ(open().error(),
            "control socket " + path + ": making its folder: unreachable (No such file or directory)");
  path = folder + "/" + std::string(200, 'x');
  EXPECT_EQ(open().error(), "control socket " + path + ": the path is too long");
}

TEST_F(ControlTest, RefusesWhatIsNoRequest) {
  auto socket = open();
  ASSERT_TRUE(socket);
  using namespace std::string_literals;
  for (const std::string& line : {"\n"s, "hello\n"s, "[]\n"s, "{}\n"s, "{\"command\": 7}\n"s,
                                  "\"command\"\n"s, "{\"command\": \"status\"\n"s, "\xff\xfe\n"s, "\0\n"s,
                                  std::string(60'000, '[') + "\n", "GET / HTTP/1.1\r\n\r\n"s}) {
    json answer = json::parse(exchange(line), nullptr, false);
    ASSERT_TRUE(answer.is_object()) << line;
    EXPECT_EQ(answer["ok"], false);
    EXPECT_TRUE(answer["message"].get<std::string>().contains("one line of JSON"));
  }
  EXPECT_EQ(commands.asked, 0);
}

TEST_F(ControlTest, BoundsALine) {
  auto socket = open();
  ASSERT_TRUE(socket);
  EXPECT_TRUE(exchange(std::string(65 * 1024, 'x')).contains("too_large"));
}

TEST_F(ControlTest, BoundsTheTimeOfALine) {
  auto socket = open();
  ASSERT_TRUE(socket);
  Caller slow(reactor, SocketAddress::unix_path(path));
  slow.send("{\"command\"");
  clock.advance(5001ms);
  EXPECT_TRUE(slow.receive_all().contains("timed_out"));
}

TEST_F(ControlTest, ClosesWithoutAWordOnWhoSaidNone) {
  auto socket = open();
  ASSERT_TRUE(socket);
  EXPECT_EQ(exchange("", true), "");
}

TEST_F(ControlTest, AnswersForACommandThatFails) {
  auto socket = open();
  ASSERT_TRUE(socket);
  EXPECT_EQ(exchange("{\"command\": \"fail\"}\n"), "{\"message\":\"obeying: no_resources\",\"ok\":false}\n");
}

// Asking blocks, so the process that is asked has a thread of its own here.
class AskTest : public ControlTest {
 protected:
  void answer() {
    socket = ControlSocket::open(reactor_of_process, path, commands);
    ASSERT_TRUE(socket);
    process = std::thread([this] { reactor_of_process.run(); });
  }
  ~AskTest() override {
    reactor_of_process.stop();
    if (process.joinable()) process.join();
  }

  SystemClock real;
  loop::Reactor reactor_of_process{real};
  std::expected<std::unique_ptr<ControlSocket>, std::string> socket;
  std::thread process;
};

TEST_F(AskTest, BringsTheAnswer) {
  answer();
  auto status = ask(path, {{"command", "status"}}, 5s);
  ASSERT_TRUE(status) << status.error();
  EXPECT_EQ((*status)["message"], "done\nwell");
  auto large = ask(path, {{"command", "large"}}, 5s);
  ASSERT_TRUE(large) << large.error();
  EXPECT_EQ((*large)["message"].get<std::string>().size(), 1u << 20);
  auto latin = ask(path, {{"command", "latin"}}, 5s);
  ASSERT_TRUE(latin) << latin.error();
  EXPECT_EQ((*latin)["message"], "caf\xef\xbf\xbd");
}

TEST_F(AskTest, TellsThatNobodyIsThere) {
  EXPECT_EQ(ask(path, {}, 5s).error(),
            "no lockgate answers at " + path +
                " (connecting: unreachable (No such file or directory)): is it running, "
                "and is this its control socket?");
  EXPECT_TRUE(ask(std::string(200, 'x'), {}, 5s).error().starts_with("no lockgate answers at "));
}

TEST_F(AskTest, GivesUpInTime) {
  ASSERT_EQ(::mkdir((folder + "/run").c_str(), 0755), 0);
  auto mute = net::listen(SocketAddress::unix_path(path), {});
  ASSERT_TRUE(mute);
  EXPECT_EQ(ask(path, {}, 50ms).error(), "lockgate does not answer at " + path + ": it took too long");
}

TEST_F(AskTest, RefusesAStrangersAnswer) {
  ASSERT_EQ(::mkdir((folder + "/run").c_str(), 0755), 0);
  auto listening = net::listen(SocketAddress::unix_path(path), {});
  ASSERT_TRUE(listening);
  for (std::string_view words : {"hello\n", "{}\n", "{\"ok\": 1}\n", "[true]\n"}) {
    std::thread stranger([&] {
      Fd fd;
      while (!fd) fd = Fd(::accept(listening->number(), nullptr, nullptr));
      std::array<char, 64> room;
      EXPECT_GT(::read(fd.number(), room.data(), room.size()), 0);
      EXPECT_GT(::send(fd.number(), words.data(), words.size(), MSG_NOSIGNAL), 0);
    });
    EXPECT_EQ(ask(path, json::object(), 5s).error(), "what answers at " + path + " is no lockgate") << words;
    stranger.join();
  }
}

}  // namespace
}  // namespace lockgate::server
