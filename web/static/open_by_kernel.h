#pragma once

namespace squall::web {

// openat2() with RESOLVE_BENEATH: a descriptor, or -1 and errno. EXDEV if `path` leads out of the folder
// `root`; ENOSYS if the system has no such call.
int open_by_kernel(int root, const char* path, int flags) noexcept;

}  // namespace squall::web
