#include <squall/iostream/process/spawn_folder.h>

#include <cerrno>

namespace squall {

int detail::add_folder(posix_spawn_file_actions_t&, const char*) noexcept { return ENOTSUP; }

}  // namespace squall
