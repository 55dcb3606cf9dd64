// What Swift cannot import of OpenSSL: macros, variadic functions and unions, each behind one inline function.
#ifndef COPENSSL_SHIM_H
#define COPENSSL_SHIM_H
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

// Contexts

static inline int sluice_openssl_set_protocols(SSL_CTX *context, int minimum, int maximum) {
    return SSL_CTX_set_min_proto_version(context, minimum) == 1
        && SSL_CTX_set_max_proto_version(context, maximum) == 1;
}

static inline int sluice_openssl_set_groups(SSL_CTX *context, const char *list) {
    return (int)SSL_CTX_set1_groups_list(context, list);
}

static inline void sluice_openssl_set_mode(SSL_CTX *context, long mode) {
    SSL_CTX_set_mode(context, mode);
}

static inline void sluice_openssl_disable_session_cache(SSL_CTX *context) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

// SSL_OP_BIT() hides these numbers from the importer.
static inline void sluice_openssl_set_common_options(SSL_CTX *context) {
    SSL_CTX_clear_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION
        | SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_NO_TICKET | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
}

static inline void sluice_openssl_prefer_server_order(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
}

static inline void sluice_openssl_set_server_name_callback(SSL_CTX *context, int (*callback)(SSL *, int *, void *)) {
    SSL_CTX_set_tlsext_servername_callback(context, callback);
}

static inline int sluice_openssl_context_data_index(CRYPTO_EX_free *release) {
    return CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, NULL, NULL, NULL, release);
}

// Sessions

static inline int sluice_openssl_send_server_name(SSL *session, const char *name) {
    return (int)SSL_set_tlsext_host_name(session, name);
}

// Up to TLS 1.2: the server's CertificateRequest names at least one type.
static inline int sluice_openssl_was_asked_for_certificate(SSL *session) {
    return SSL_get0_certificate_types(session, NULL) > 0;
}

static inline void sluice_openssl_set_retry_read(BIO *bio) {
    BIO_clear_retry_flags(bio);
    BIO_set_retry_read(bio);
}

static inline void sluice_openssl_clear_retry(BIO *bio) {
    BIO_clear_retry_flags(bio);
}

// Tickets

static inline int sluice_openssl_set_mac_key(EVP_MAC_CTX *mac, unsigned char *key, size_t length) {
    OSSL_PARAM parameters[3];
    parameters[0] = OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key, length);
    parameters[1] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0);
    parameters[2] = OSSL_PARAM_construct_end();
    return EVP_MAC_CTX_set_params(mac, parameters);
}

// Certificates

static inline EVP_PKEY *sluice_openssl_generate_p256_key(void) {
    return EVP_EC_gen("P-256");
}

// The DNS name of one subject alternative name, or NULL where it is of another kind. Borrowed.
static inline const ASN1_STRING *sluice_openssl_dns_name(const void *name) {
    int type = 0;
    const void *value = GENERAL_NAME_get0_value((const GENERAL_NAME *)name, &type);
    return type == GEN_DNS ? (const ASN1_STRING *)value : NULL;
}

static inline void sluice_openssl_free_names(GENERAL_NAMES *names) {
    GENERAL_NAMES_free(names);
}

// Adds one extension written in OpenSSL's configuration syntax ("CA:TRUE", "DNS:a,IP:::1"). 1: done.
static inline int sluice_openssl_add_extension(X509 *certificate, X509 *issuer, int nid, const char *value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    if (extension == NULL) return 0;
    int added = X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    return added;
}
#endif
