/* TLS by OpenSSL, behind few functions; with NO_TLS they only say that it is missing. */
#include "load.h"

#ifdef NO_TLS

struct Tls {
    int none;
};

static const char *const missing = "this load generator was built without TLS (apt-get install libssl-dev)";

bool hasTls(void) { return false; }
void setUpTls(void) { fail(NULL, "%s", missing); }
Tls *beginTls(Session *session, int socket, bool data) {
    (void)socket, (void)data;
    fail(session, "%s", missing);
}
ssize_t tlsRead(Tls *tls, void *into, size_t size) { return (void)tls, (void)into, (void)size, -1; }
bool tlsWrite(Tls *tls, const void *from, size_t size) { return (void)tls, (void)from, (void)size, false; }
void tlsFinish(Tls *tls) { (void)tls; }
void tlsFree(Tls *tls) { (void)tls; }
const char *tlsFault(void) { return missing; }
int tlsOverhead(const Tls *tls) { return (void)tls, -1; }
bool tlsIs13(const Tls *tls) { return (void)tls, false; }

#else

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

/* An SSL object is all there is to a connection; the name hides it from the other files. */
static SSL *of(const Tls *tls) { return (SSL *)tls; }

static SSL_CTX *context;

/* TLS 1.3 brings its tickets some time after the handshake, on data connections too; the newest one is kept. */
static int keepTicket(SSL *ssl, SSL_SESSION *ticket) {
    Session *session = SSL_get_app_data(ssl);
    if (session == NULL || !options.resume) return 0;
    if (session->ticket != NULL) SSL_SESSION_free(session->ticket);
    session->ticket = ticket;
    return 1;
}

bool hasTls(void) { return true; }

void setUpTls(void) {
    context = SSL_CTX_new(TLS_client_method());
    if (context == NULL) fail(NULL, "TLS cannot be set up: %s", tlsFault());
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    if (options.tls12) SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    else SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keepTicket);
    /* Idle sessions by the thousand must not keep 34 KB of buffers each. */
    SSL_CTX_set_mode(context, SSL_MODE_AUTO_RETRY | SSL_MODE_RELEASE_BUFFERS);
    /* Some servers just close a data connection; whether all came is told by its length. */
    SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
}

Tls *beginTls(Session *session, int socket, bool data) {
    ERR_clear_error();
    errno = 0;
    SSL *ssl = SSL_new(context);
    if (ssl == NULL || SSL_set_fd(ssl, socket) != 1) fail(session, "no TLS: %s", tlsFault());
    SSL_set_app_data(ssl, session);
    if (data && options.resume && session->ticket != NULL) {
        /* OpenSSL lets a ticket of TLS 1.3 be used once. A copy is used instead: not every data connection brings a new one. */
        SSL_SESSION *copy = SSL_SESSION_dup(session->ticket);
        SSL_set_session(ssl, copy);
        SSL_SESSION_free(copy);
    }
    if (SSL_connect(ssl) != 1) {
        if (!data) fail(session, "no TLS: %s", tlsFault());
        SSL_free(ssl);
        return NULL;
    }
    session->figures.handshakes += 1;
    session->figures.resumed += SSL_session_reused(ssl);
    return (Tls *)ssl;
}

ssize_t tlsRead(Tls *tls, void *into, size_t size) {
    const int got = SSL_read(of(tls), into, size > CHUNK ? CHUNK : (int)size);
    if (got > 0) return got;
    return SSL_get_error(of(tls), got) == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

bool tlsWrite(Tls *tls, const void *from, size_t size) { return SSL_write(of(tls), from, (int)size) == (int)size; }

void tlsFinish(Tls *tls) {
    if ((SSL_get_shutdown(of(tls)) & SSL_SENT_SHUTDOWN) == 0) SSL_shutdown(of(tls));
    ERR_clear_error();
}

void tlsFree(Tls *tls) {
    /* Without it OpenSSL takes the ticket for spoilt, which the next data connection is to resume. */
    SSL_set_quiet_shutdown(of(tls), 1);
    SSL_shutdown(of(tls));
    SSL_free(of(tls));
    ERR_clear_error();
}

const char *tlsFault(void) {
    static _Thread_local char text[SHOWN];
    const unsigned long fault = ERR_peek_last_error();
    if (fault == 0) return errno == 0 ? "TLS ended without a reason" : strerror(errno);
    ERR_error_string_n(fault, text, sizeof text);
    return text;
}

/* RFC 8446 §5.2: tag and inner type. RFC 5288 §3: explicit nonce and tag. RFC 7905 §2: tag. */
int tlsOverhead(const Tls *tls) {
    if (tlsIs13(tls)) return 17;
    const SSL_CIPHER *cipher = SSL_get_current_cipher(of(tls));
    if (cipher == NULL || SSL_CIPHER_is_aead(cipher) == 0) return -1;
    return SSL_CIPHER_get_cipher_nid(cipher) == NID_chacha20_poly1305 ? 16 : 24;
}

bool tlsIs13(const Tls *tls) { return SSL_version(of(tls)) == TLS1_3_VERSION; }

#endif
