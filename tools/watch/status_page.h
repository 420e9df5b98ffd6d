#pragma once

#include <squall/http/server/function_delegate.h>
#include <squall/http/server/http_server.h>
#include <squall/ioloop/base/owned_fd.h>

#include <string>
#include <string_view>
#include <vector>

namespace squall::tools {

// A page of HTML that shows a text of a terminal, such as the errors of a compiler, and loads itself again
// each second. Escape sequences are removed.
std::string make_status_page(std::string_view title, std::string_view text);

// Answers every request in place of a program that does not run, with status 503.
//
// Thread:    the loop's thread.
// Lifetime:  borrows the sockets.
class StatusPage {
 public:
  explicit StatusPage(const std::vector<OwnedFd>& sockets);

  // Begins to accept connections, or changes the page.
  void show(std::string_view title, std::string_view text);
  // Accepts no more connections: those that wait are the program's.
  void hide();

 private:
  const std::vector<OwnedFd>& sockets_;
  std::string page_;
  http::FunctionDelegate delegate_;
  http::HTTPServer server_;
  bool is_shown_ = false;
};

}  // namespace squall::tools
