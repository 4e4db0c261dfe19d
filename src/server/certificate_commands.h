// The commands about certificates: making them, asking an authority for them, looking at
// them. Exit codes as in commands.h. Data goes to stdout, what is said to people to stderr.
#pragma once
#include <string>
#include <vector>

#include "tls/self_signed.h"

namespace lockgate::server {

/// For `self-signed` and `request`.
struct MakeFlags {
  std::vector<std::string> names;
  std::string key_type = "ecdsa";  // or "rsa"
  std::string out, key_out;        // empty: stdout
  int days = tls::kSelfSignedDays;
  bool force = false;  // replace files that are there
};
/// With --out alone, the key goes to the same file.
int self_signed_command(const MakeFlags& flags);
/// With --out alone it refuses: whoever sends the request away would send the key with it.
int request_command(const MakeFlags& flags);

struct InspectFlags {
  std::string file, key, password_file;
  bool json = false;
};
int inspect_command(const InspectFlags& flags);

}  // namespace lockgate::server
