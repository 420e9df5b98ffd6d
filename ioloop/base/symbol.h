#pragma once

#include <string>

namespace squall {

// The name of the function that has the instruction at `code`, without its parameters: from the program's
// symbol table, which knows static functions and the parts of coroutines too. Of a stripped program it gives
// the place instead, `program+0x1234`, for addr2line. Slow: it reads the program's file.
//
// Thread:    any.
std::string symbol_name(const void* code);

// A name as the compiler mangles it, as it was written.
std::string demangled(const char* name);

}  // namespace squall
