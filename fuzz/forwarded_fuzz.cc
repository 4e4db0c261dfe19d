// Each line of the input is one field. Any lines give an outcome; who is found does not
// depend on what stands to the left of a client that is not trusted; and what we append
// is what is found, whatever it was appended to.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/check.h"
#include "wire/forwarded.h"

namespace {

using namespace lockgate;
using namespace lockgate::wire;

const std::vector<Network> kTrusted = {*Network::parse("10.0.0.0/8"), *Network::parse("fc00::/7")};

bool same(const std::optional<NamedClient>& a, const std::optional<NamedClient>& b) {
  if (!a || !b) return a.has_value() == b.has_value();
  return a->ip == b->ip && a->port == b->port && a->proto == b->proto && a->host == b->host;
}

std::vector<HeadField> fields_of(std::string_view text, std::string_view name) {
  std::vector<HeadField> fields;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    fields.push_back({name, line});
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return fields;
}

/// What an honest proxy appends to the last of the fields.
void check_appended(std::vector<HeadField> fields) {
  ForwardedElement told{.client = *Ip::parse("2001:db8::1"),
                        .client_port = 4711,
                        .by = *Ip::parse("10.0.0.1"),
                        .host = "a.example:8080",
                        .proto = "https"};
  std::string value(fields.empty() ? "" : fields.back().value);
  append_forwarded(told, value);
  if (fields.empty()) fields.push_back({"forwarded", ""});
  fields.back().value = value;
  auto client = client_of_forwarded(fields, kTrusted);
  CHECK(client && client->ip == told.client && client->port == told.client_port &&
        client->host == told.host && client->proto == told.proto);
}

/// With trust or without, the walk begins at the same address.
void check_walk(const std::vector<HeadField>& fields) {
  auto nearest = client_of_list(fields, "forwarded", {});
  auto client = client_of_list(fields, "forwarded", kTrusted);
  CHECK(nearest.has_value() == client.has_value());
  if (!client) return;
  bool trusted = kTrusted[0].contains(nearest->ip) || kTrusted[1].contains(nearest->ip);
  CHECK(trusted || same(nearest, client));
  CHECK(!client->ip.is_none() && client->ip.scope() == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(bytes), size);
  std::vector<HeadField> fields = fields_of(text, "forwarded");
  check_walk(fields);
  check_appended(fields);
  auto client = client_of_forwarded(fields, kTrusted);
  CHECK(!client || (!client->ip.is_none() && !client->ip.is_unspecified()));
  if (fields.size() == 1) (void)client_of_field(fields, "forwarded");

  // The same lines behind others: what is found there first stays found.
  std::vector<HeadField> more = {{"forwarded", "for=192.0.2.1;x=\""}, {"forwarded", "\\"}};
  more.insert(more.end(), fields.begin(), fields.end());
  CHECK(same(client, client_of_forwarded(more, kTrusted)));
  return 0;
}
