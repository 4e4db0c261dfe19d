// The files in which certificates and keys are kept: read whole and with a bound,
// written so that nobody ever finds half of one, and keys so that nobody else reads
// them. Any thread. What fails is told in a sentence that names the file.
#pragma once
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "base/secret.h"

namespace lockgate::tls {

inline constexpr std::size_t kLargestFile = 1 << 20;

/// The whole of a regular file of at most 1 MiB. Never waits, as opening a pipe would.
std::expected<Secret, std::string> read_file(const std::string& path);

/// Whom a file is for: its owner (0600), or everybody as far as the umask lets them (0644).
enum class Readers : std::uint8_t { owner, everybody };

/// Makes a file; if there is one of that name, it is left alone and that is the failure.
std::expected<void, std::string> write_new_file(const std::string& path, std::string_view text,
                                                Readers readers);
/// Puts a file in the place of what is there, whole or not at all. Only regular files are replaced.
std::expected<void, std::string> replace_file(const std::string& path, std::string_view text,
                                              Readers readers);
/// Makes a folder for its owner only (0700) unless there is one; its parent must be there.
std::expected<void, std::string> make_folder(const std::string& path);

}  // namespace lockgate::tls
