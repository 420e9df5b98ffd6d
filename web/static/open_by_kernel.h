#pragma once

// The system calls of static files that differ between systems. The build selects one of two sources: Linux,
// or plain POSIX.
namespace squall::web {

// The flags that open a folder in order to open the files in it. O_PATH of Linux, and O_SEARCH where a system
// has it, need no permission to list the folder.
int folder_flags() noexcept;

// openat2() with RESOLVE_BENEATH: a descriptor, or -1 and errno. EXDEV if `path` leads out of the folder
// `root`; ENOSYS if the system has no such call.
int open_by_kernel(int root, const char* path, int flags) noexcept;

}  // namespace squall::web
