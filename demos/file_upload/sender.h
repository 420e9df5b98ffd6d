#pragma once

#include <string>
#include <vector>

namespace squall::upload {

struct SenderOptions {
  std::vector<std::string> files;
  std::string url = "http://127.0.0.1:8888/";
  bool put = false;    // one PUT for each file, not one form with all files
  double timeout = 0;  // seconds for each request; 0 is no limit
};

// Sends the files piece by piece: memory does not depend on their size. Prints the status of each response.
//
// Errors:    std::runtime_error and its derived classes: no files, a file that cannot be read, a URL that is
//            none, a response that is not 2xx.
void send(const SenderOptions& options);

}  // namespace squall::upload
