#include <squall/iostream/process/spawn_folder.h>

namespace squall {

int detail::add_folder(posix_spawn_file_actions_t& actions, const char* folder) noexcept {
  return ::posix_spawn_file_actions_addchdir_np(&actions, folder);
}

}  // namespace squall
