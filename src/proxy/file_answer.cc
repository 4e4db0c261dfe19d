#include "proxy/file_answer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "loop/wait.h"
#include "proxy/conditions.h"
#include "proxy/media_type.h"
#include "proxy/page.h"
#include "proxy/security_fields.h"
#include "proxy/upward.h"
#include "wire/file_name.h"
#include "wire/http_date.h"

namespace lockgate::proxy {

using http::FieldName;
using loop::Task;
using Path = config::RouteMatch::Path;

namespace {

constexpr const char* kReading = "reading the file";
// A client that takes nothing has so much of a file waiting for it in memory.
constexpr std::size_t kPiece = 64 * 1024;
// After so many bytes without a wait it is the others' turn.
constexpr std::uint64_t kTurn = 1024 * 1024;

std::string_view tag_of(const File& file, Arena& arena) {
  constexpr std::size_t kLongest = 3 * 16 + 2 + 2;
  auto room = arena.take(kLongest);
  char* end = fmt::format_to(room.data(), "\"{:x}-{:x}-{:x}\"", file.inode, file.size,
                             static_cast<std::uint64_t>(file.modified));
  return {room.data(), end};
}

// Of an expression and of a path as a whole, no part is a prefix that could be taken off.
std::string_view path_within(const RequestFacts& facts, Arena& arena) {
  const config::Route& route = *facts.route->route;
  if (route.rewrite) return rewritten_path(facts, arena);
  bool prefixed = route.match.kind == Path::prefix;
  return facts.path.substr(prefixed ? std::min(route.match.path.size(), facts.path.size()) : 0);
}

bool is_not_found(const Error& error) {
  return error.code == Errc::rejected && error.detail == Detail{DetailKind::http_status, 404};
}

}  // namespace

Result<std::string_view> file_asked_for(const RequestFacts& facts, Arena& arena, std::string& room) {
  return wire::read_file_name(path_within(facts, arena), room);
}

Task<void> FileAnswer::run() {
  if (facts_.method != "GET" && facts_.method != "HEAD") {
    owe("Allow", "GET, HEAD");
    co_await loop::fail(refusal(Errc::rejected, 405, "looking at the method"));
  }
  exchange_.leave_body();
  auto found = find();
  if (!found) co_await loop::fail(found.error());
  auto answering = file_.is_folder ? redirect() : answer();
  co_await answering;
}

Result<void> FileAnswer::look(const std::string& name) {
  auto file = facts_.route->folder->find(name.empty() ? "." : name);
  if (!file) return std::unexpected(file.error());
  file_ = std::move(*file);
  name_ = name;
  return {};
}

// The file, one that stands for the folder, or the folder itself where the client has to name it with a
// slash.
Result<void> FileAnswer::find() {
  if (!facts_.route->folder) return failure(Errc::no_resources, "opening the folder");
  auto asked = file_asked_for(facts_, exchange_.arena(), name_);
  if (!asked) return std::unexpected(asked.error());
  bool names_folder = (name_.empty() || name_.ends_with('/')) && !is_redirected();
  Result<void> found;
  if (!names_folder) found = look(std::string(*asked));
  if (names_folder || (found && file_.is_folder && !is_redirected())) found = find_index();
  if (!found) return fall_back(found.error());
  return {};
}

// Relative references in a page of a folder start from its slash.
bool FileAnswer::is_redirected() const {
  Path kind = facts_.route->route->match.kind;
  return (kind == Path::prefix || kind == Path::any) && !facts_.path.ends_with('/');
}

Result<void> FileAnswer::find_index() {
  std::string folder = name_;
  if (!folder.empty() && !folder.ends_with('/')) folder += '/';
  for (const std::string& index : facts_.route->route->files.index) {
    auto found = look(folder + index);
    if (found && !file_.is_folder) return {};
    if (!found && !is_not_found(found.error())) return found;
  }
  return std::unexpected(refusal(Errc::rejected, 404, "looking for the index"));
}

Result<void> FileAnswer::fall_back(const Error& why) {
  const std::string& fallback = facts_.route->route->files.fallback;
  if (fallback.empty() || !is_not_found(why)) return std::unexpected(why);
  std::string room;
  auto name = wire::read_file_name(fallback, room);
  if (!name) return std::unexpected(name.error());
  auto found = look(std::string(*name));
  if (found && file_.is_folder) return std::unexpected(why);
  return found;
}

Task<void> FileAnswer::redirect() {
  Arena& arena = exchange_.arena();
  http::Response& answer = exchange_.memory().response;
  answer.clear();
  answer.status = 301;
  std::string_view path = facts_.path;
  bool has_query = !facts_.query.empty() || facts_.target.ends_with('?');
  std::string_view place = arena.join(path, "/", has_query ? "?" : "", facts_.query);
  // Two slashes at the beginning would name another host.
  if (path.starts_with("//")) place = arena.join(facts_.scheme, "://", facts_.authority, place);
  answer.fields.add(FieldName::location, place);
  edit(answer);
  auto answering = answer_with_text(exchange_, answer, "", house_.reactor.wall());
  co_await answering;
}

Task<void> FileAnswer::answer() {
  WallTime now = house_.reactor.wall();
  Arena& arena = exchange_.arena();
  Validators validators{
      .tag = tag_of(file_, arena), .modified = std::min(file_.modified, now), .size = file_.size};
  Condition condition = condition_of(exchange_.request(), validators, now);
  if (condition == Condition::failed)
    co_await loop::fail(refusal(Errc::rejected, 412, "looking at the conditions"));
  wire::ByteRange part = part_of(exchange_.request(), validators, now);
  bool holds = condition == Condition::holds;
  if (holds && part.kind == wire::ByteRange::Kind::none) {
    owe("Content-Range", arena.copy(fmt::format("bytes */{}", file_.size)));
    co_await loop::fail(refusal(Errc::rejected, 416, "looking at the range"));
  }
  bool partial = holds && part.kind == wire::ByteRange::Kind::part;
  http::Response& answer = exchange_.memory().response;
  answer.clear();
  answer.status = holds ? 200 : 304;
  if (partial) answer.status = 206;
  answer.fields.add(FieldName::etag, validators.tag);
  answer.fields.add("Last-Modified", arena.copy(wire::HttpDate(validators.modified).text()),
                    FieldName::other);
  if (holds) {
    answer.fields.add("Accept-Ranges", "bytes", FieldName::other);
    answer.fields.add(FieldName::content_type, media_type(name_));
    answer.has_body = facts_.method == "GET";
    answer.length = part.size;
  }
  if (partial) {
    std::string range = fmt::format("bytes {}-{}/{}", part.first, part.first + part.size - 1, file_.size);
    answer.fields.add("Content-Range", arena.copy(range), FieldName::other);
  }
  edit(answer);
  finish_head(exchange_, answer, now);
  auto sending = send(part);
  co_await sending;
}

Task<void> FileAnswer::send(wire::ByteRange part) {
  const http::Response& answer = exchange_.memory().response;
  std::uint64_t left = answer.has_body ? part.size : 0, at = part.first, since_turn = 0;
  auto piece = read(at, left);
  if (!piece) co_await loop::fail(piece.error());
  for (bool first = true;; first = false) {
    std::uint64_t size = piece->bytes.size();
    auto sending = first ? exchange_.respond(answer, *piece) : exchange_.write(*piece);
    co_await sending;
    at += size;
    left -= size;
    since_turn += size;
    if (left == 0) co_return;
    if (since_turn >= kTurn) {
      loop::NextTurn turn(house_.reactor);
      co_await turn;
      since_turn = 0;
    }
    piece = read(at, left);
    if (!piece) co_await loop::fail(piece.error());
  }
}

// A file that has become shorter cannot be what was promised any more.
Result<http::Piece> FileAnswer::read(std::uint64_t from, std::uint64_t left) {
  if (left == 0) return http::Piece{.last = true};
  Room room = house_.buffers.scratch();
  room = room.first(static_cast<std::size_t>(std::min<std::uint64_t>(left, kPiece)));
  ssize_t size = 0;
  do size = ::pread(file_.fd.number(), room.data(), room.size(), static_cast<off_t>(from));
  while (size < 0 && errno == EINTR);
  if (size < 0) return std::unexpected(system_error(errno, kReading));
  if (size == 0) return failure(Errc::closed, kReading);
  auto count = static_cast<std::size_t>(size);
  return http::Piece{.bytes = room.first(count), .last = count == left};
}

void FileAnswer::edit(http::Response& answer) {
  facts_.status = answer.status;
  facts_.answered = house_.reactor.now();
  const config::Route& route = *facts_.route->route;
  add_security_fields(answer, route.security_fields, facts_.scheme == "https");
  edit_fields(answer.fields, route.response_fields, facts_, facts_.route->response_edits, regexes_,
              exchange_.arena());
}

void FileAnswer::owe(std::string_view name, std::string_view value) {
  facts_.owed.push_back({name, value, FieldName::other});
}

}  // namespace lockgate::proxy
