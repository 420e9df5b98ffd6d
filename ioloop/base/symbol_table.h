#pragma once

#include <cstdint>
#include <string>

namespace squall::detail {

// The name of the function in an executable or library that contains `address`, an offset from the load
// address of the file; empty if no symbol does. Also of functions that the dynamic linker does not know. Only
// for ELF files.
std::string symbol_in_file(const char* path, std::uintptr_t address);

}  // namespace squall::detail
