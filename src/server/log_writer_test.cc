#include "server/log_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/address.h"
#include "proxy/access_log.h"

namespace lockgate::server {
namespace {

using Kind = config::LogTarget::Kind;
using config::LogLevel;
using namespace std::chrono_literals;

template <class Condition>
bool soon(Condition condition) {
  for (int i = 0; i < 500; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

// A pipe or file in the place of a standard descriptor for the life of this object.
class Redirected {
 public:
  Redirected(int standard, int to) : standard_(standard), saved_(::dup(standard)) { ::dup2(to, standard); }
  ~Redirected() {
    ::dup2(saved_, standard_);
    ::close(saved_);
  }

 private:
  int standard_, saved_;
};

class LogWriterTest : public ::testing::Test {
 protected:
  LogWriterTest() {
    std::string pattern = ::testing::TempDir() + "log_writer_XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
  }
  ~LogWriterTest() override { std::filesystem::remove_all(directory_); }

  std::string path(const char* name) const { return directory_ + "/" + name; }
  static config::LogTarget file(const std::string& path) { return {Kind::file, path}; }
  static std::string content(const std::string& path) {
    std::ifstream in(path);
    std::stringstream all;
    all << in.rdbuf();
    return all.str();
  }
  static bool whole_lines(const std::string& text, std::string_view line) {
    std::string_view left = text;
    while (left.starts_with(line)) left.remove_prefix(line.size());
    return left.empty();
  }

  std::string directory_;
  SystemClock clock_;
  LogRules rules_;
};

TEST_F(LogWriterTest, WritesTheLinesOfAllThreadsAndDrainsAtTheEnd) {
  LogWriter writer(clock_, rules_, 3);
  std::uint16_t target = writer.target_for(file(path("access.log")));
  writer.start();
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 3; ++t) {
    threads.emplace_back([&writer, target, t] {
      for (int i = 0; i < 2000; ++i)
        writer.producer(t).line(target, LogLevel::info, "a line of the access log\n");
    });
  }
  for (auto& thread : threads) thread.join();
  writer.stop();
  std::string text = content(path("access.log"));
  EXPECT_EQ(text.size(), 6000 * 25U);
  EXPECT_TRUE(whole_lines(text, "a line of the access log\n"));
  EXPECT_EQ(writer.lines_dropped().total(), 0U);
}

TEST_F(LogWriterTest, WritesALineSoonAfterALongSilence) {
  LogWriter writer(clock_, rules_, 1);
  std::uint16_t target = writer.target_for(file(path("log")));
  writer.start();
  for (int i = 1; i <= 3; ++i) {
    std::this_thread::sleep_for(100ms);
    writer.producer(0).line(target, LogLevel::info, "x\n");
    EXPECT_TRUE(soon([&] { return content(path("log")).size() == static_cast<std::size_t>(2 * i); }));
  }
}

TEST_F(LogWriterTest, WritesWhatWasSaidBeforeAStartThatNeverCame) {
  {
    LogWriter writer(clock_, rules_, 1);
    writer.producer(0).line(writer.target_for(file(path("log"))), LogLevel::info, "too early\n");
  }
  EXPECT_EQ(content(path("log")), "too early\n");
}

TEST_F(LogWriterTest, GivesEqualTargetsOneNumberAndTakesNewOnesWhileRunning) {
  LogWriter writer(clock_, rules_, 1);
  EXPECT_EQ(writer.target_for({}), proxy::kNoLog);
  std::uint16_t first = writer.target_for(file(path("a")));
  EXPECT_EQ(writer.target_for(file(path("a"))), first);
  writer.start();
  for (int i = 0; i < 50; ++i) {
    std::uint16_t target = writer.target_for(file(path("b") + std::to_string(i)));
    EXPECT_NE(target, first);
    writer.producer(0).line(target, LogLevel::info, "b\n");
  }
  writer.stop();
  for (int i = 0; i < 50; ++i) EXPECT_EQ(content(path("b") + std::to_string(i)), "b\n");
}

TEST_F(LogWriterTest, ClosesWhatIsNoLongerUsedAndOpensItAgain) {
  auto open_files = [this] {
    long count = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code ignored;
      if (std::filesystem::read_symlink(entry.path(), ignored).string().starts_with(directory_)) ++count;
    }
    return count;
  };
  LogWriter writer(clock_, rules_, 1);
  std::uint16_t a = writer.target_for(file(path("a"))), b = writer.target_for(file(path("b")));
  writer.start();
  writer.producer(0).line(a, LogLevel::info, "a\n");
  writer.producer(0).line(b, LogLevel::info, "b\n");
  writer.close_unused({b});
  EXPECT_TRUE(soon([&] { return content(path("a")) == "a\n" && open_files() == 1; }));
  EXPECT_EQ(writer.target_for(file(path("a"))), a);
  writer.producer(0).line(a, LogLevel::info, "again\n");
  writer.stop();
  EXPECT_EQ(content(path("a")), "a\nagain\n");
}

TEST_F(LogWriterTest, OpensFilesAnewAfterARotation) {
  LogWriter writer(clock_, rules_, 1);
  std::uint16_t target = writer.target_for(file(path("log")));
  writer.start();
  writer.producer(0).line(target, LogLevel::info, "old\n");
  ASSERT_TRUE(soon([&] { return content(path("log")) == "old\n"; }));
  std::filesystem::rename(path("log"), path("log.1"));
  writer.producer(0).line(target, LogLevel::info, "still old\n");
  writer.reopen();
  ASSERT_TRUE(soon([&] { return std::filesystem::exists(path("log")); }));
  writer.producer(0).line(target, LogLevel::info, "new\n");
  writer.stop();
  EXPECT_EQ(content(path("log.1")), "old\nstill old\n");
  EXPECT_EQ(content(path("log")), "new\n");
}

TEST_F(LogWriterTest, NeverWaitsForAReaderThatHasStopped) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  Fd reading(ends[0]), writing(ends[1]);
  LogWriter writer(clock_, rules_, 1);
  std::uint16_t stuck = writer.target_for({Kind::standard_output, ""}),
                good = writer.target_for(file(path("log")));
  std::string line(99, 'x');
  line += '\n';
  {
    Redirected out(STDOUT_FILENO, writing.number());
    writer.start();
    for (int i = 0; i < 20'000; ++i) {
      while (!writer.producer(0).line(stuck, LogLevel::info, line)) std::this_thread::sleep_for(1ms);
    }
    writer.producer(0).line(good, LogLevel::info, "not held up\n");
    EXPECT_TRUE(soon([&] { return content(path("log")) == "not held up\n"; }));
    EXPECT_GT(writer.lines_dropped().slow, 10'000U);
    auto before = clock_.now();
    writer.stop(300ms);
    EXPECT_LT(clock_.now() - before, 2s);
  }
  writing.reset();
  std::string text;
  std::array<char, 4096> room;
  while (ssize_t size = ::read(reading.number(), room.data(), room.size())) {
    ASSERT_GT(size, 0);
    text.append(room.data(), static_cast<std::size_t>(size));
  }
  EXPECT_GT(text.size(), 60'000U);
  EXPECT_TRUE(whole_lines(text, line));
  EXPECT_EQ(text.size() / line.size() + writer.lines_dropped().slow, 20'000U);
}

TEST_F(LogWriterTest, SurvivesAClosedPipeAndSaysSoOnce) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  ::close(ends[0]);
  Fd writing(ends[1]);
  LogWriter writer(clock_, rules_, 1);
  config::Config config;
  rules_.apply(config, writer.target_for(file(path("error.log"))));
  std::uint16_t closed = writer.target_for({Kind::standard_output, ""});
  {
    Redirected out(STDOUT_FILENO, writing.number());
    writer.start();
    writer.producer(0).line(closed, LogLevel::info, "nobody reads this\n");
    EXPECT_TRUE(soon([&] { return content(path("error.log")).find("Broken pipe") != std::string::npos; }));
    writer.stop();
  }
  EXPECT_EQ(writer.lines_dropped().failed, 1U);
  std::string text = content(path("error.log"));
  EXPECT_EQ(std::ranges::count(text, '\n'), 1) << text;
  EXPECT_TRUE(text.find("level=error message=\"the log stdout cannot be written: Broken pipe") !=
              std::string::npos)
      << text;
}

TEST_F(LogWriterTest, CompletesATornLineOnceTheDiskHasRoomAgain) {
  std::signal(SIGXFSZ, SIG_IGN);
  LogWriter writer(clock_, rules_, 1);
  config::Config config;
  rules_.apply(config, writer.target_for({Kind::standard_error, ""}));
  std::uint16_t target = writer.target_for(file(path("log")));
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
  Fd reading(ends[0]), writing(ends[1]);
  Redirected err(STDERR_FILENO, writing.number());
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  rlimit full{1050, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &full);  // stands for a disk that is full
  writer.start();
  std::string line = "a line of nineteen\n";
  for (int i = 0; i < 20'000; ++i) {
    while (!writer.producer(0).line(target, LogLevel::info, line)) std::this_thread::sleep_for(1ms);
  }
  EXPECT_TRUE(soon([&] { return content(path("log")).size() == 1050 && writer.lines_dropped().failed > 0; }));
  EXPECT_NE(content(path("log")).back(), '\n');
  ::setrlimit(RLIMIT_FSIZE, &before);
  auto written = [&] { return content(path("log")).size() / line.size() + writer.lines_dropped().failed; };
  EXPECT_TRUE(soon([&] { return written() == 20'000; })) << written();
  writer.producer(0).line(target, LogLevel::info, line);
  writer.stop();
  EXPECT_TRUE(whole_lines(content(path("log")), line));
  std::array<char, 4096> room;
  ssize_t size = ::read(reading.number(), room.data(), room.size());
  ASSERT_GT(size, 0);
  std::string told(room.data(), static_cast<std::size_t>(size));
  EXPECT_EQ(std::ranges::count(told, '\n'), 2) << told;
  EXPECT_NE(told.find("cannot be written: File too large"), std::string::npos) << told;
  EXPECT_NE(told.find("is written again; "), std::string::npos) << told;
}

TEST_F(LogWriterTest, TellsOnStderrWhatTheErrorLogItselfCannotTake) {
  LogWriter writer(clock_, rules_, 1);
  config::LogTarget nowhere = file(path("no/such/directory"));
  ASSERT_FALSE(can_open(nowhere));
  EXPECT_EQ(can_open(nowhere).error(),
            "the log " + nowhere.path + " cannot be opened: No such file or directory");
  std::uint16_t target = writer.target_for(nowhere);
  rules_.apply({}, target);
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  Fd reading(ends[0]), writing(ends[1]);
  {
    Redirected err(STDERR_FILENO, writing.number());
    writer.start();
    writer.producer(0).line(target, LogLevel::info, "unheard\n");
    std::array<char, 4096> room;
    ssize_t size = ::read(reading.number(), room.data(), room.size());
    std::string told(room.data(), static_cast<std::size_t>(size));
    EXPECT_TRUE(told.starts_with("lockgate: the log " + nowhere.path + " cannot be written: No such file"))
        << told;
    std::filesystem::create_directories(path("no/such"));
    EXPECT_TRUE(soon([&] {
      return content(nowhere.path).find("is written again; 0 lines") != std::string::npos;
    })) << content(nowhere.path);
    writer.stop();
  }
  EXPECT_TRUE(content(nowhere.path).starts_with("unheard\n"));
}

TEST_F(LogWriterTest, SendsEachLineToSyslogWithItsSeverity) {
  Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_storage address;
  socklen_t size = SocketAddress::unix_path(path("syslog")).to_system(address);
  ASSERT_EQ(::bind(socket.number(), reinterpret_cast<sockaddr*>(&address), size), 0);
  LogWriter writer(clock_, rules_, 1);
  std::uint16_t target = writer.target_for({Kind::syslog, path("syslog")});
  writer.producer(0).line(target, LogLevel::info, "one\n");
  writer.producer(0).line(target, LogLevel::error, "two\n");
  writer.stop();
  auto received = [&socket] {
    std::array<char, 512> room;
    ssize_t got = ::recv(socket.number(), room.data(), room.size(), MSG_DONTWAIT);
    return std::string(room.data(), got < 0 ? 0 : static_cast<std::size_t>(got));
  };
  std::string tail = " lockgate[" + std::to_string(::getpid()) + "]: ";
  std::string one = received(), two = received();
  EXPECT_TRUE(one.starts_with("<30>") && one.ends_with(tail + "one")) << one;
  EXPECT_TRUE(two.starts_with("<27>") && two.ends_with(tail + "two")) << two;
}

TEST(LogDestination, DropsTheRestOfATornLineWhenARotationTakesItsBeginningAway) {
  std::signal(SIGXFSZ, SIG_IGN);
  std::string path = ::testing::TempDir() + "torn.log";
  LostLines lost;
  LogDestination log({Kind::file, path}, lost);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  rlimit full{4, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &full);
  log.append(LogLevel::info, "0123456789\n", {1}, 0);
  log.append(LogLevel::info, "second\n", {1}, 0);
  log.flush({1});
  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_TRUE(log.failing());
  std::filesystem::rename(path, path + ".1");
  ASSERT_TRUE(log.reopen());
  log.flush({2});
  EXPECT_FALSE(log.failing());
  EXPECT_TRUE(log.empty());
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  EXPECT_EQ(line, "second");
  EXPECT_EQ(lost.failed.load(), 1U);
  std::filesystem::remove(path);
  std::filesystem::remove(path + ".1");
}

}  // namespace
}  // namespace lockgate::server
