#pragma once

#include <squall/options/config_text.h>

#include <string>
#include <vector>

namespace squall::options {

// The entries of a file of at most 1 MiB: see parse_config(). Throws Error also if the file cannot be read.
std::vector<ConfigEntry> read_config_file(const std::string& path);

}  // namespace squall::options
