#pragma once

#include <string>

namespace squall::web {

// As open_by_kernel(), for every system: opens one component after the other, never through a symbolic link,
// and follows links itself. `..` goes back to the folder that was opened before, so a folder that is moved
// meanwhile cannot lead out of the root.
//
// Holds one descriptor for each level of the path while it runs. Throws std::bad_alloc.
int open_by_components(int root, const std::string& path, int flags);

}  // namespace squall::web
