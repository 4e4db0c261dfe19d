// DNS messages made by hand, for tests: an answer to a query, record by record.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace lockgate::wire::made {

enum RecordType : std::uint16_t { kA = 1, kCname = 5, kAaaa = 28, kSrv = 33 };
enum ResponseCode : std::uint8_t { kNoError = 0, kServerFailed = 2, kNoSuchName = 3, kRefused = 5 };

inline std::string two_bytes(unsigned number) {
  return {static_cast<char>(number >> 8 & 0xff), static_cast<char>(number & 0xff)};
}
inline std::string four_bytes(std::uint32_t number) {
  return two_bytes(number >> 16) + two_bytes(number & 0xffff);
}

/// "a.example" as labels; "" is the root.
inline std::string labels(std::string name) {
  std::string result;
  while (!name.empty()) {
    auto label = name.substr(0, name.find('.'));
    name.erase(0, label.size() + 1);
    result += static_cast<char>(label.size()) + label;
  }
  return result + '\0';
}

/// A pointer to the name that stands at `offset`; 12 is the question's.
inline std::string pointer(unsigned offset) { return two_bytes(0xc000 | offset); }

struct Record {
  std::string owner;  // as it stands in the message
  RecordType type;
  std::uint32_t ttl;
  std::string content;  // "192.0.2.1" would be four bytes here
};

inline std::string bytes_of(const Record& record) {
  return record.owner + two_bytes(record.type) + two_bytes(1) + four_bytes(record.ttl) +
         two_bytes(static_cast<unsigned>(record.content.size())) + record.content;
}

inline Record srv(std::uint32_t ttl, unsigned priority, unsigned weight, unsigned port, std::string target) {
  return {pointer(12), kSrv, ttl,
          two_bytes(priority) + two_bytes(weight) + two_bytes(port) + std::move(target)};
}

/// A query for one name, as a resolver sends it.
inline std::string query(const std::string& name, RecordType type) {
  return two_bytes(0x1234) + two_bytes(0x0100) + two_bytes(1) + std::string(6, '\0') + labels(name) +
         two_bytes(type) + two_bytes(1);
}

struct Answer {
  std::vector<Record> records;
  ResponseCode code = kNoError;
  bool truncated = false;
};

/// `query` is what a resolver has sent, without anything behind its question.
inline std::string message(const std::string& query, const Answer& answer) {
  constexpr unsigned kIsAnswer = 0x8180, kTruncated = 0x0200;
  std::string result = query.substr(0, 2) +
                       two_bytes(kIsAnswer | answer.code | (answer.truncated ? kTruncated : 0)) +
                       two_bytes(1) + two_bytes(static_cast<unsigned>(answer.records.size())) +
                       std::string(4, '\0') + query.substr(12);
  for (const auto& record : answer.records) result += bytes_of(record);
  return result;
}

}  // namespace lockgate::wire::made
