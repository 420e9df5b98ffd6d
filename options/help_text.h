#pragma once

#include <squall/options/option_table.h>

#include <string>

namespace squall::options {

// The text of `--help` (OPT-13). Options without a group come first, then each group under its name.
std::string help_text(const OptionTable& table);

}  // namespace squall::options
