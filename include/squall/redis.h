#pragma once

// A client for Redis: all of redis/ that a program uses.

#include <squall/iostream.h>
#include <squall/redis/client.h>
#include <squall/redis/command.h>
#include <squall/redis/connect.h>
#include <squall/redis/endpoint.h>
#include <squall/redis/errors.h>
#include <squall/redis/reply_parser.h>
#include <squall/redis/value.h>
