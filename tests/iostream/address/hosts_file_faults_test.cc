#include <squall/iostream/address/hosts_file.h>

#include <cerrno>

#include "support/catch.h"
#include "support/faults.h"
#include "support/temporary_folder.h"

namespace squall::hosts_file_faults_test {
namespace {

using testing::TemporaryFolder;
using testing::faults::Call;
using testing::faults::Injection;

TEST_CASE("a hosts file that could not be read is read by the next call", "[faults]") {
  const TemporaryFolder folder;
  HostsFile hosts(folder.file("hosts", "192.0.2.1 a.test\n"));
  for (const Call call : {Call::open, Call::read}) {
    folder.file("hosts", call == Call::open ? "192.0.2.1 a.test b.test\n" : "192.0.2.1 a.test\n");
    {
      const Injection fault(call, EIO);
      CHECK(hosts.find("a.test", AF_UNSPEC).empty());
      CHECK(fault.hits() == 1);
    }
    CHECK(hosts.find("a.test", AF_UNSPEC).size() == 1);
  }
}

}  // namespace
}  // namespace squall::hosts_file_faults_test
