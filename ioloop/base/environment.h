#pragma once

namespace squall::detail {

// The variables of this process, NAME=VALUE each, and a null pointer at the end; null without variables. For
// a shared library on Darwin `environ` is out of reach.
//
// Thread:    any, while no other thread changes the variables.
char** environment() noexcept;

}  // namespace squall::detail
