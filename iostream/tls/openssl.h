#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

// OpenSSL's objects with owners, and its thread's queue of errors: for the sources that speak to it. What
// users include names no type of OpenSSL's.
namespace squall::openssl {

template <auto free>
struct Free {
  template <class T>
  void operator()(T* object) const noexcept {
    free(object);
  }
};

using Bio = std::unique_ptr<BIO, Free<BIO_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Context = std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Session = std::unique_ptr<SSL_SESSION, Free<SSL_SESSION_free>>;

// Before each call that may fail: what another connection, or other code on this thread, left in the queue
// must not be taken for this one's.
inline void forget_errors() noexcept {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

// The reason of the earliest error in the queue, which is emptied; 0 if there is none.
inline unsigned long take_error() noexcept {
  const unsigned long error = ERR_peek_error();
  forget_errors();
  return error;
}

}  // namespace squall::openssl
