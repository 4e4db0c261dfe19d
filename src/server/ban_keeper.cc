#include "server/ban_keeper.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "base/fd.h"
#include "base/whole_file.h"
#include "server/ban_commands.h"

namespace lockgate::server {

using guard::Ban;
using loop::Task;
using nlohmann::json;

namespace {

constexpr Duration kLookEvery = std::chrono::milliseconds(500);
constexpr Duration kSaveEvery = std::chrono::seconds(2);
constexpr int kRest = 20;  // times as long as saving has taken
constexpr std::size_t kPiece = 1000;
constexpr std::size_t kMostBytes = std::size_t{512} << 20;  // of the file, as it is read
constexpr std::size_t kMostTold = 20;                       // of bans, with each look

std::string reason(int error) { return std::generic_category().message(error); }

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// The file beside `path` that takes its place when it is whole; what goes wrong is a sentence.
class NewFile {
 public:
  explicit NewFile(const std::string& path)
      : path_(path),
        fd_(::open((path + ".new").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)) {
    note(static_cast<bool>(fd_));
  }
  void add(std::string_view text) {
    if (fault_.empty()) note(write_all(fd_.number(), text));
  }
  const std::string& finish() {
    fd_.reset();
    if (fault_.empty()) note(::rename((path_ + ".new").c_str(), path_.c_str()) == 0);
    return fault_;
  }

 private:
  void note(bool done) {
    if (!done) fault_ = fmt::format("bans cannot be kept in {}: {}", path_, reason(errno));
  }
  std::string path_, fault_;
  Fd fd_;
};

std::string lines_of(const std::vector<Ban>& bans, const guard::Clocks& clocks) {
  std::string lines;
  for (const Ban& ban : bans) lines += guard::ban_line(ban, clocks);
  return lines;
}

}  // namespace

BanKeeper::BanKeeper(loop::Reactor& reactor, Crew& crew, Journal& journal, guard::Bans& bans)
    : reactor_(reactor), crew_(crew), journal_(journal), bans_(bans), scope_(reactor) {}

void BanKeeper::start(const config::Config& config) {
  if (config.bans.state && !config.state_folder.empty()) read(config.state_folder + "/bans");
  bans_.take_news();
  saved_ = bans_.changes();
  for (std::size_t worker = 0; worker < crew_.size(); ++worker) bans_.take_networks(worker, bans_.networks());
  if (!config.bans.nftables.on()) return;
  auto sets = NftablesSets::open(config.bans.nftables, bans_);
  if (sets)
    sets_ = std::move(*sets);
  else
    journal_.at(config::LogLevel::error, "bans are not told to nftables: {}", sets.error());
}

void BanKeeper::read(const std::string& path) {
  path_ = path;
  if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT) return;
  auto text = read_whole_file(path, kMostBytes, "512 MiB");
  auto kept = text ? guard::read_ban_file(text->text(), clocks()) : std::unexpected(text.error());
  if (!kept)
    return journal_.at(config::LogLevel::error,
                       "the bans that were kept in {} cannot be used, nobody is banned: {}", path,
                       kept.error());
  if (kept->bad_lines != 0)
    journal_.at(
        config::LogLevel::error,
        "the bans that were kept in {} hold on but for {} of its lines, which are no bans; the first of "
        "them is line {}",
        path, kept->bad_lines, kept->first_bad);
  for (Ban& ban : kept->bans) bans_.restore(std::move(ban), reactor_.now());
  if (std::size_t bans = bans_.size() + bans_.networks_banned(); bans != 0)
    journal_.at(config::LogLevel::info, "{} bans hold on", bans);
}

void BanKeeper::take_plan(std::shared_ptr<const proxy::Plan> plan) {
  plan_ = std::move(plan);
  bans_.lift_if([&](const Network& who) { return plan_->ban_rules.is_excepted(who); });
  publish();
}

void BanKeeper::publish() {
  crew_.post_all([&bans = bans_, networks = bans_.networks()](proxy::Worker& worker) {
    bans.take_networks(worker.number(), networks);
    worker.cut_banned();
  });
}

json BanKeeper::obey(const std::string& command, const json& request, const std::string& asker) {
  if (command == "bans") return list_bans(bans_, clocks());
  bool bans = command == "ban";
  json answer = bans ? ban(bans_, plan_->ban_rules, request, clocks()) : unban(bans_, request);
  if (!answer["ok"]) return answer;
  publish();
  journal_.at(config::LogLevel::info, "{}, as {} has asked", answer["message"].get<std::string>(), asker);
  return answer;
}

Task<void> BanKeeper::keep() {
  for (;;) {
    loop::Sleep pause(reactor_, reactor_.now() + kLookEvery);
    co_await pause;
    look();
    if (path_.empty() || saved_ == bans_.changes() || reactor_.now() < save_again_) continue;
    auto saving = save_piecemeal();
    co_await saving;
  }
}

void BanKeeper::look() {
  bans_.sweep(config().remember, reactor_.now());
  if (auto fault = sets_ ? sets_->take_fault() : std::nullopt) {
    if (fault->empty())
      journal_.at(config::LogLevel::info, "nftables is told of bans again");
    else
      journal_.at(config::LogLevel::error,
                  "bans are not told to nftables, which is tried again and again: {}", *fault);
  }
  if (seen_ == bans_.changes()) return;
  seen_ = bans_.changes();
  guard::BanNews news = bans_.take_news();
  tell(news);
  if (sets_) sets_->take(std::move(news));
  crew_.post_all([](proxy::Worker& worker) { worker.cut_banned(); });
}

void BanKeeper::tell(const guard::BanNews& news) {
  std::size_t told = 0;
  for (const Ban& ban : news.banned) {
    if (ban.until == kNever) continue;  // by command, which was told
    if (told++ == kMostTold) break;
    journal_.at(config::LogLevel::info, "{} is banned for {} s by {}, {} in a row", name_of_banned(ban.who),
                std::chrono::ceil<std::chrono::seconds>(ban.until - ban.since).count(), ban.why, ban.times);
  }
  std::uint64_t more = news.banned.size() + news.left_out;
  if (told > kMostTold) journal_.at(config::LogLevel::info, "and {} more are banned", more - kMostTold);
}

// Between two pieces everything else has its turn. What changes meanwhile is kept next time.
Task<void> BanKeeper::save_piecemeal() {
  Instant began = reactor_.now();
  saved_ = bans_.changes();
  NewFile file(path_);
  file.add(guard::kBanFileTitle);
  auto piece = bans_.list(kPiece);
  for (; !piece.empty(); piece = bans_.list(kPiece, &piece.back())) {
    file.add(lines_of(piece, clocks()));
    loop::NextTurn turn(reactor_);
    co_await turn;
  }
  told_of_file(file.finish());
  save_again_ = reactor_.now() + std::max(kSaveEvery, (reactor_.now() - began) * kRest);
}

void BanKeeper::save() {
  if (path_.empty()) return;
  NewFile file(path_);
  file.add(guard::kBanFileTitle);
  auto piece = bans_.list(kPiece);
  for (; !piece.empty(); piece = bans_.list(kPiece, &piece.back())) file.add(lines_of(piece, clocks()));
  told_of_file(file.finish());
}

void BanKeeper::told_of_file(const std::string& fault) {
  if (!fault.empty() && fault != file_fault_) journal_.at(config::LogLevel::error, "{}", fault);
  file_fault_ = fault;
}

}  // namespace lockgate::server
