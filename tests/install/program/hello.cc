// A program of a user: it serves a greeting on a port that the kernel chooses.
#include <squall/web.h>

#include <cstdio>

using namespace squall;

class MainHandler : public web::RequestHandler {
 public:
  void get() { write("Hello, world\n"); }
};

int main() {
  web::Application app({web::url<MainHandler>("/")});
  const http::HTTPServer& server = app.listen(0);
  std::fprintf(stderr, "Serving on port %d\n", server.port());
  IOLoop::current().start();
}
