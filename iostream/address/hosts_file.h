#pragma once

#include <squall/iostream/address/address.h>

#include <sys/stat.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace squall {

// The names in a hosts file (hosts(5)), so that they need no lookup on a thread. Reads the file again when it
// has changed.
//
// Result:    names without regard to case and to a dot at their end. All lines of a name count.
// Thread:    one.
// Errors:    a file that cannot be read, or is larger than kMaxSize, has no names; a malformed line is
//            skipped.
class HostsFile {
 public:
  static constexpr std::size_t kMaxSize = 256 * 1024;

  explicit HostsFile(std::string path = "/etc/hosts") : path_(std::move(path)) {}

  // The addresses of the name of this family (AF_UNSPEC: any), in the order of the file, each once and with
  // port 0; empty if the file does not have the name. Costs a stat() while the file does not change.
  std::vector<Address> find(std::string_view name, int family);

 private:
  // The file has changed if one of these differs.
  struct Version {
    dev_t device;
    ino_t inode;
    off_t size;
    timespec modified;
    bool operator==(const Version& other) const noexcept;
  };

  void refresh();
  bool read(std::size_t size);
  void take_line(std::string_view line);

  std::string path_;
  std::optional<Version> version_;  // nullopt: not read yet, or no file
  std::unordered_map<std::string, std::vector<Address>> names_;
};

}  // namespace squall
