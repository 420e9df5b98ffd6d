#pragma once

#include <string>

namespace squall {

// The name of the function that contains the instruction at `code`, without its parameters, from the
// program's symbol table, which has static functions and coroutine parts too. In a stripped program the
// result is `program+0x1234`, for addr2line. Slow: reads the program's file.
//
// Thread:    any.
std::string symbol_name(const void* code);

// Demangles a name.
std::string demangled(const char* name);

}  // namespace squall
