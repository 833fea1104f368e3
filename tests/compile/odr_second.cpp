// The second of two files that both contain all of the library's bodies.
#include "odr_second.hpp"

void turn(test::BotanServer& server, tlsconnect::MemoryPipe& end) {
  std::uint8_t buffer[4'096];
  while (auto count = end.read_some(buffer))
    (void)server.feed({buffer, *count});
  const std::vector<std::uint8_t> output = server.take_output();
  for (tlsconnect::BytesView rest = output; !rest.empty();) {
    auto count = end.write_some(rest);
    if (!count)
      return;
    rest = rest.subspan(*count);
  }
}

bool exchange(tlsconnect::Stream<tlsconnect::MemoryPipe>& stream, test::BotanServer& server,
              tlsconnect::MemoryPipe& end) {
  if (!stream.write_all(tlsconnect::as_bytes("ping")))
    return false;
  turn(server, end);
  if (tlsconnect::as_text(server.take_received()) != "ping" || !server.send("pong"))
    return false;
  turn(server, end);
  std::uint8_t buffer[16];
  auto count = stream.read_some(buffer);
  return count && tlsconnect::as_text({buffer, *count}) == "pong";
}

ParseName parse_name_of_second_file() { return &tlsconnect::ServerName::parse; }
