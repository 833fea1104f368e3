// What GnuTLS says of a chain.
#include "judges.hpp"

#include <ctime>

#include <arpa/inet.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

namespace corpus {

namespace {

std::int64_t time_asked = 0;

time_t clock_of_question(time_t* where) {
  const auto time = static_cast<time_t>(time_asked);
  if (where != nullptr)
    *where = time;
  return time;
}

/// Certificates of the library, which it frees one by one.
class Certificates {
public:
  Certificates() = default;
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;
  ~Certificates() {
    for (gnutls_x509_crt_t one : list_)
      gnutls_x509_crt_deinit(one);
  }
  bool add(const Blob& der) {
    gnutls_x509_crt_t one = nullptr;
    if (gnutls_x509_crt_init(&one) < 0)
      return false;
    list_.push_back(one);
    Blob bytes = der;
    const gnutls_datum_t datum{bytes.data(), static_cast<unsigned>(bytes.size())};
    return gnutls_x509_crt_import(one, &datum, GNUTLS_X509_FMT_DER) >= 0;
  }
  gnutls_x509_crt_t* data() { return list_.data(); }
  [[nodiscard]] unsigned size() const { return static_cast<unsigned>(list_.size()); }
  void release() { list_.clear(); }

private:
  std::vector<gnutls_x509_crt_t> list_;
};

std::string describe(unsigned status) {
  gnutls_datum_t text{nullptr, 0};
  std::string out;
  if (gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0) >= 0)
    out.assign(reinterpret_cast<const char*>(text.data), text.size);
  gnutls_free(text.data);
  return out;
}

} // namespace

std::string gnutls_version() { return gnutls_check_version(nullptr); }

Answer ask_gnutls(const Question& question) {
  time_asked = question.time;
  gnutls_global_set_time_function(clock_of_question);
  Certificates anchors;
  for (const Blob& der : question.anchors)
    if (!anchors.add(der))
      return {false, "an anchor cannot be read"};
  Certificates chain;
  for (const Blob& der : question.chain)
    if (!chain.add(der))
      return {false, "a certificate cannot be read"};
  gnutls_x509_trust_list_t trusted = nullptr;
  if (gnutls_x509_trust_list_init(&trusted, 0) < 0)
    return {false, "no list"};
  // The list owns its certificates from here on.
  gnutls_x509_trust_list_add_cas(trusted, anchors.data(), anchors.size(), 0);
  anchors.release();

  Blob ip(16);
  std::string name = question.server;
  std::string purpose = GNUTLS_KP_TLS_WWW_SERVER;
  gnutls_typed_vdata_st data[2] = {};
  if (inet_pton(AF_INET, name.c_str(), ip.data()) == 1) {
    ip.resize(4);
    data[0].type = GNUTLS_DT_IP_ADDRESS;
  } else if (inet_pton(AF_INET6, name.c_str(), ip.data()) == 1) {
    data[0].type = GNUTLS_DT_IP_ADDRESS;
  } else {
    data[0].type = GNUTLS_DT_DNS_HOSTNAME;
  }
  data[0].data = data[0].type == GNUTLS_DT_IP_ADDRESS ? ip.data() : reinterpret_cast<unsigned char*>(name.data());
  data[0].size = static_cast<unsigned>(data[0].type == GNUTLS_DT_IP_ADDRESS ? ip.size() : name.size());
  data[1].type = GNUTLS_DT_KEY_PURPOSE_OID;
  data[1].data = reinterpret_cast<unsigned char*>(purpose.data());
  data[1].size = static_cast<unsigned>(purpose.size());

  unsigned status = GNUTLS_CERT_INVALID;
  const int outcome = gnutls_x509_trust_list_verify_crt2(
      trusted, chain.data(), chain.size(), data, 2, GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_MEDIUM), &status, nullptr);
  gnutls_x509_trust_list_deinit(trusted, 1);
  gnutls_global_set_time_function(std::time);
  if (outcome < 0)
    return {false, gnutls_strerror(outcome)};
  return {status == 0, status == 0 ? "accepted" : describe(status)};
}

} // namespace corpus
