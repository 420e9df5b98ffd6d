#pragma once

// Helpers for tests of programs that use Squall, with any test framework: docs/testing.md.

#include <squall/ioloop.h>
#include <squall/iostream.h>
#include <squall/testing/bind_unused_port.h>
#include <squall/testing/certificates.h>
#include <squall/testing/expect_log.h>
#include <squall/testing/http_test_case.h>
#include <squall/testing/in_process_http_client.h>
#include <squall/testing/log_capture.h>
#include <squall/testing/patience.h>
#include <squall/testing/request_options.h>
#include <squall/testing/streamed_response.h>
#include <squall/testing/test_client.h>
#include <squall/testing/test_loop.h>
#include <squall/testing/throws.h>
#include <squall/testing/virtual_clock.h>
