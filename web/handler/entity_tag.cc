#include <squall/web/handler/entity_tag.h>

#include <squall/ioloop/base/ascii.h>

#include <openssl/evp.h>

#include <array>
#include <memory>
#include <new>

namespace squall::web {
namespace {

struct FreeDigestContext {
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

}  // namespace

std::optional<std::string> entity_tag(std::string_view body) {
  // OpenSSL looks the algorithm up by name, and a context allocates memory, which both cost more than the
  // hash of a short body.
  static EVP_MD* const sha1 = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  thread_local const std::unique_ptr<EVP_MD_CTX, FreeDigestContext> context(EVP_MD_CTX_new());
  if (!context) throw std::bad_alloc();
  std::array<unsigned char, 20> digest{};
  if (!sha1 || EVP_DigestInit_ex(context.get(), sha1, nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), body.data(), body.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) != 1)
    return std::nullopt;
  std::string tag = "\"";
  append_lower_hex(tag, digest);
  tag += '"';
  return tag;
}

}  // namespace squall::web
