#include "server/account_commands.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "base/time_text.h"
#include "guard/user_files.h"

namespace lockgate::server {

using config::UserList;
using guard::AccountRequest;
using nlohmann::json;

namespace {

json refusal(std::string message) { return {{"ok", false}, {"message", std::move(message)}}; }
json success(std::string message) { return {{"ok", true}, {"message", std::move(message)}}; }

std::string text_of(const json& request, const char* name) {
  auto found = request.find(name);
  return found != request.end() && found->is_string() ? found->get<std::string>() : "";
}

struct Found {
  const UserList* list;
  std::string file;
  AccountRequest request;
};

class Desk {
 public:
  Desk(guard::Accounts& accounts, const config::Config& config) : accounts_(accounts), config_(config) {}

  json list(const std::string& wanted) const {
    json entries = json::array();
    std::string text;
    for (const UserList& list : config_.users) {
      if (!wanted.empty() && list.name != wanted) continue;
      auto waiting = accounts_.waiting(file_of(list));
      if (!waiting) return refusal(waiting.error());
      if (waiting->empty()) continue;
      auto users = guard::read_users(list.file, "");
      for (const AccountRequest& one : *waiting) {
        bool known = users && (*users)->hash_of(one.name);
        std::string from = one.from.is_none() ? "-" : one.from.text();
        entries.push_back({{"list", list.name},
                           {"name", one.name},
                           {"asked", time_text(one.asked)},
                           {"from", from},
                           {"remark", one.remark},
                           {"is_user", known}});
        text += fmt::format("{:<20} {:<12} {:<24} {:<20} {}{}\n", one.name, list.name, time_text(one.asked),
                            from, known ? "(there is such a user already) " : "", one.remark);
      }
    }
    std::string title =
        fmt::format("{:<20} {:<12} {:<24} {:<20} {}\n", "NAME", "LIST", "ASKED", "FROM", "REMARK");
    json answer = success(entries.empty() ? "nobody waits for an account\n" : title + text);
    answer["accounts"] = std::move(entries);
    return answer;
  }

  json decide(bool approves, const std::string& name, const std::string& wanted) {
    auto found = find(name, wanted);
    if (!found) return refusal(found.error());
    if (approves) {
      auto added = guard::add_user(found->list->file, name, found->request.hash);
      if (!added) return not_added(*found, added.error());
    }
    auto taken = accounts_.take_off(found->file, name);
    if (!taken) return refusal(taken.error());
    return success(fmt::format("{} {}", name,
                               approves ? fmt::format("is a user of {} now", found->list->name)
                                        : fmt::format("was refused for {}", found->list->name)));
  }

 private:
  std::string file_of(const UserList& list) const {
    return guard::Accounts::file_of(config_.state_folder, list.name);
  }

  // The only list in which that name waits.
  std::expected<Found, std::string> find(const std::string& name, const std::string& wanted) const {
    std::optional<Found> found;
    for (const UserList& list : config_.users) {
      if (!wanted.empty() && list.name != wanted) continue;
      auto waiting = accounts_.waiting(file_of(list));
      if (!waiting) return std::unexpected(waiting.error());
      auto one = std::ranges::find(*waiting, name, &AccountRequest::name);
      if (one == waiting->end()) continue;
      if (found)
        return std::unexpected(fmt::format("{} waits for {} and for {}: say which with --list", name,
                                           found->list->name, list.name));
      found = Found{.list = &list, .file = file_of(list), .request = std::move(*one)};
    }
    if (!found) return std::unexpected(fmt::format("nobody of the name {} waits for an account", name));
    return std::move(*found);
  }

  static json not_added(const Found& found, const guard::NotAdded& why) {
    if (!why.may_be_added_by_hand) return refusal(why.sentence);
    std::string line = fmt::format("{}:{}", found.request.name, found.request.hash);
    json answer =
        refusal(fmt::format("{}. Add this line to it yourself, and approve once more, which then only "
                            "takes the request off:\n{}",
                            why.sentence, line));
    answer["line"] = std::move(line);
    return answer;
  }

  guard::Accounts& accounts_;
  const config::Config& config_;
};

}  // namespace

json obey_about_accounts(guard::Accounts& accounts, const config::Config& config, const json& request) {
  std::string action = text_of(request, "action"), name = text_of(request, "name"),
              list = text_of(request, "list");
  if (config.state_folder.empty())
    return refusal("there is no `state_folder`, so nobody can wait for an account");
  if (!list.empty() && std::ranges::find(config.users, list, &UserList::name) == config.users.end())
    return refusal(fmt::format("there is no list \"{}\" under `users`", list));
  Desk desk(accounts, config);
  if (action == "list") return desk.list(list);
  if (action != "approve" && action != "refuse") return refusal("the action is one of list, approve, refuse");
  return desk.decide(action == "approve", name, list);
}

}  // namespace lockgate::server
