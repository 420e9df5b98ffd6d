// The headers that most test files include.

#include <squall/http.h>
#include <squall/testing.h>
#include <squall/web.h>

#include "support/catch.h"
