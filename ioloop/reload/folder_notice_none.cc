#include <squall/ioloop/reload/folder_notice.h>

namespace squall {

FolderNotice::FolderNotice() noexcept = default;

bool FolderNotice::add(const std::string&) noexcept { return false; }

void FolderNotice::clear() noexcept {}

}  // namespace squall
