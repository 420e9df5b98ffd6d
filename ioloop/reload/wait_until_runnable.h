#pragma once

#include <squall/ioloop/loop/task.h>

#include <string>
#include <vector>

namespace squall {

// Waits until the executable can be executed and the shared libraries can be loaded: a linker may still write
// them. Logs once why they cannot.
Task<> wait_until_runnable(std::string executable, std::vector<std::string> libraries = {});

}  // namespace squall
