// The commands of the program, each with its exit code: 0, 1 for failure, 2 for usage
// or configuration. Data goes to stdout, what is said to people to stderr.
#pragma once
#include <string>
#include <vector>

#include "server/explain.h"

namespace lockgate::server {

inline constexpr int kSuccess = 0, kFailure = 1, kBadConfig = 2;
inline constexpr const char* kDefaultConfig = "/etc/lockgate/lockgate.yaml";

/// Tells `sentence` on stderr and gives `status` back.
int fail(const std::string& sentence, int status = kFailure);
void tell(const std::vector<config::Diagnostic>& diagnostics);

int run_command(const std::string& config_path);
int check_command(const std::string& config_path, bool print, bool json);
int explain_command(const std::string& config_path, const ExplainQuestion& question, bool json);
int config_reference_command(bool schema);

/// Asks the running process through its control socket; `request` is a JSON object.
struct AskFlags {
  std::string config_path = kDefaultConfig;
  std::string socket;  // overrides the one of the configuration
  bool json = false;
};
int reload_command(const AskFlags& flags);
int status_command(const AskFlags& flags);
int drain_command(const AskFlags& flags);
/// `action` is drain, disable or enable.
struct EndpointFlags {
  std::string upstream, endpoint;
  bool wait = false;            // until it has no connection any more
  std::string timeout = "60s";  // for that
};
int endpoint_command(const AskFlags& flags, const std::string& action, const EndpointFlags& endpoint);
/// `address` is an address or a network, `time` a duration or "forever".
int ban_command(const AskFlags& flags, const std::string& address, const std::string& time,
                const std::string& why);
int unban_command(const AskFlags& flags, const std::string& address, bool all);
int bans_command(const AskFlags& flags);
/// `action` is list, approve or refuse; the latter two want a name.
int accounts_command(const AskFlags& flags, const std::string& action, const std::string& name,
                     const std::string& list);
int log_command(const AskFlags& flags, const std::string& level, const std::string& site);

}  // namespace lockgate::server
