// What the two files of the program share; types of the library cross from one to the other.
#pragma once

#include <tlsconnect/tlsconnect.hpp>

#include "botan_server.hpp"

/// Moves what can be moved between a server and its end of the pipe.
void turn(test::BotanServer& server, tlsconnect::MemoryPipe& end);
/// Sends a text over the stream to the server and gets one back; whether both came through.
bool exchange(tlsconnect::Stream<tlsconnect::MemoryPipe>& stream, test::BotanServer& server,
              tlsconnect::MemoryPipe& end);
/// A function of the library, seen from the other file.
using ParseName = tlsconnect::Result<tlsconnect::ServerName> (*)(std::string_view);
ParseName parse_name_of_second_file();
