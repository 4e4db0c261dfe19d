// The sandbox: after the start this process can do what a proxy does, and nothing else.
//
// A filter in the kernel lets through the system calls that workers, the resolver, the
// log writer and a reload need: sockets, files, memory, threads. Programs cannot be
// executed, processes not forked or traced, memory not made executable, identities not
// changed. A call that is not on the list fails as if this kernel did not have it
// (ENOSYS): the C library falls back to an older one, and a call that we forgot costs an
// error in one place instead of all connections. Killing would stop an intruder no better,
// for what it would want to call is refused as well.
#pragma once
#include <expected>
#include <string>

namespace lockgate::server {

/// Confines all threads of this process, for good. The error is a sentence: this kernel or container has no
/// seccomp. Call it when sockets are bound and the user is changed. `with_packet_filter`
/// leaves the way to nftables open.
std::expected<void, std::string> enter_sandbox(bool with_packet_filter = false);

}  // namespace lockgate::server
