// FileAnswer: one request answered with a file of its route's folder, or with as much of
// it as the client does not have.
//
// The file is read in pieces into memory that the worker's connections share, each when
// the client has taken the one before. One thread; destroying it breaks the answer off.
#pragma once
#include <span>
#include <string>

#include "http/exchange.h"
#include "proxy/folder.h"
#include "proxy/house.h"
#include "proxy/request_facts.h"
#include "wire/byte_range.h"

namespace lockgate::proxy {

/// The path within its folder of the file that `facts`, whose route has one, asks for; as
/// wire::read_file_name has it.
Result<std::string_view> file_asked_for(const RequestFacts& facts, Arena& arena, std::string& room);

class FileAnswer {
 public:
  FileAnswer(House& house, std::span<const Regex> regexes, http::Exchange& exchange, RequestFacts& facts)
      : house_(house), regexes_(regexes), exchange_(exchange), facts_(facts) {}

  /// Answers the exchange. Fails with what went wrong, before or after the answer has begun; what the answer
  /// to that error owes is then in the facts.
  loop::Task<void> run();

 private:
  Result<void> find();
  Result<void> find_index();
  Result<void> fall_back(const Error& why);
  Result<void> look(const std::string& name);
  bool is_redirected() const;
  loop::Task<void> redirect();
  loop::Task<void> answer();
  loop::Task<void> send(wire::ByteRange part);
  Result<http::Piece> read(std::uint64_t from, std::uint64_t left);
  void edit(http::Response& answer);
  void owe(std::string_view name, std::string_view value);

  House& house_;
  std::span<const Regex> regexes_;
  http::Exchange& exchange_;
  RequestFacts& facts_;
  File file_;
  std::string name_;  // of the file, within the folder
};

}  // namespace lockgate::proxy
