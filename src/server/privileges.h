// Privileges: what this process may do, settled once at the start and only ever less
// afterwards. The process's thread, while it is the only one.
//
// A process started as root becomes the service's user before it binds anything, and of
// all capabilities keeps only the one for ports below 1024, which a reload needs again.
// Files opened later, at a reload or a rotation, must be open to that user.
#pragma once
#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "config/config.h"

namespace lockgate::server {

/// Raises the limit of open descriptors to `needed`, or as far as this process may, and gives what it is now.
std::uint64_t raise_descriptor_limit(std::uint64_t needed);

/// Becomes `user`, with the groups of that user; an empty one stays who it is. Then gives up every capability
/// but CAP_NET_BIND_SERVICE, and CAP_NET_ADMIN if that is asked for (who stays root keeps root's access to
/// files, too), for good: nothing executed later can get more. Before that, as root, makes for that user what
/// cannot be made afterwards: the directories of `sockets`, and the files of `logs` that are not there yet.
/// The error says what to do.
std::expected<void, std::string> become_user(const std::string& user, const std::vector<std::string>& sockets,
                                             const std::vector<config::LogTarget>& logs,
                                             bool keep_network_admin = false);

}  // namespace lockgate::server
