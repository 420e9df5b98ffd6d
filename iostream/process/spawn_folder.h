#pragma once

#include <spawn.h>

namespace squall::detail {

// Starts the child in a folder. 0, or the errno: ENOTSUP if the system's posix_spawn() has no such action.
//
// Source:    posix_spawn_file_actions_addchdir_np(3).
int add_folder(posix_spawn_file_actions_t& actions, const char* folder) noexcept;

}  // namespace squall::detail
