#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

// Owners of OpenSSL's objects, and the thread's queue of errors. Private: no installed header includes this
// header.
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

// Call this before each call of OpenSSL that may fail: other code on this thread may have left errors in
// the queue, which must not be taken for errors of the call.
inline void forget_errors() noexcept {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

// Empties the queue, and returns its earliest error; 0 if it was empty.
inline unsigned long take_error() noexcept {
  const unsigned long error = ERR_peek_error();
  forget_errors();
  return error;
}

}  // namespace squall::openssl
