#pragma once

#include <fcntl.h>

#include <string>

namespace squall::web {

// Opens a folder in order to open the files in it. O_PATH needs no permission to list the folder.
#ifdef O_PATH
inline constexpr int kFolderFlags = O_PATH | O_DIRECTORY | O_CLOEXEC;
#else
inline constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
#endif

// As open_by_kernel(), for every system: opens one component after the other, never through a symbolic link,
// and follows links itself. `..` goes back to the folder that was opened before, so a folder that is moved
// meanwhile cannot lead out of the root.
//
// Holds one descriptor for each level of the path while it runs. Throws std::bad_alloc.
int open_by_components(int root, const std::string& path, int flags);

}  // namespace squall::web
