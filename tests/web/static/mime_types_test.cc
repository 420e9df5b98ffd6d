#include <squall/web/static/mime_types.h>

#include "support/catch.h"

namespace squall::web::mime_types_test {
namespace {

TEST_CASE("the extension tells the type and the coding", "[mime_types]") {
  CHECK(guess_type("index.html") == MimeType{"text/html", ""});
  CHECK(guess_type("a/b.c/app.JS") == MimeType{"text/javascript", ""});
  CHECK(guess_type("photo.jpeg") == MimeType{"image/jpeg", ""});
  CHECK(guess_type("site.webmanifest") == MimeType{"application/manifest+json", ""});
  CHECK(guess_type("7.7z") == MimeType{"application/x-7z-compressed", ""});
  CHECK(guess_type("archive.tar.gz") == MimeType{"application/x-tar", "gzip"});
  CHECK(guess_type("archive.tgz") == MimeType{"application/x-tar", "gzip"});
  CHECK(guess_type("drawing.svgz") == MimeType{"image/svg+xml", "gzip"});
  CHECK(guess_type("app.js.br") == MimeType{"text/javascript", "br"});
  CHECK(guess_type("app.js.zst") == MimeType{"text/javascript", "zstd"});
  CHECK(guess_type("a.Z") == MimeType{"", "compress"});
}

TEST_CASE("a name without a known extension has no type", "[mime_types]") {
  for (const char* name :
       {"", "README", "a.", ".html", "..html", "dir.html/file", "a.unknown", "a.averyveryverylongextension",
        "a.webmanifold", "a.webmanif", "a.htm l", "a.\xff"})
    CHECK(guess_type(name) == MimeType{});
  CHECK(guess_type(".a.html") == MimeType{"text/html", ""});
  CHECK(guess_type(".gz") == MimeType{});
}

TEST_CASE("a static file is sent with its type and without a charset (WEB-150)", "[mime_types]") {
  CHECK(static_content_type("a.txt") == "text/plain");
  CHECK(static_content_type("a.css") == "text/css");
  CHECK(static_content_type("a.svg") == "image/svg+xml");
  CHECK(static_content_type("a.txt.gz") == "application/gzip");
  CHECK(static_content_type("a.svgz") == "application/gzip");
  CHECK(static_content_type("a.gz") == "application/gzip");
  CHECK(static_content_type("a.txt.bz2") == "application/octet-stream");
  CHECK(static_content_type("a.js.br") == "application/octet-stream");
  CHECK(static_content_type("a.unknown") == "application/octet-stream");
  CHECK(static_content_type("README") == "application/octet-stream");
}

}  // namespace
}  // namespace squall::web::mime_types_test
