/*
 * public_key.c
 *		Signatures that only who has the private key can make: RSA (RFC 8017, PKCS #1
 *		v1.5) and ECDSA on the curve P-256, both with SHA-256.
 *
 * OpenSSL verifies them, where pg_steward is built with it.  Keys and signatures
 * are handed to it as DER, which all of its versions read alike.
 */
#include "core/core.h"

#ifdef STEWARD_OPENSSL

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

const bool	steward_has_openssl = true;

#define DER_INTEGER		0x02
#define DER_BIT_STRING	0x03
#define DER_SEQUENCE	0x30

/* How a key begins that is of RSA, and one that is a point of P-256 (RFC 5280, RFC 5480). */
static const uint8 rsa_algorithm[] = {
	0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00
};
static const uint8 p256_beginning[] = {
	0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01,
	0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04
};

/* A number that is not negative, its highest byte first, without zero bytes before it. */
typedef struct Number
{
	const uint8 *bytes;
	size_t		length;
} Number;

static Number
number_of(const uint8 *bytes, size_t length)
{
	while (length > 1 && *bytes == 0)
	{
		bytes++;
		length--;
	}
	return (Number)
	{
		bytes, length
	};
}

/* Returns how many bytes tag and length of a value take. */
static size_t
header_size(size_t length)
{
	return length < 0x80 ? 2 : length < 0x100 ? 3 : 4;
}

static uint8 *
put_header(uint8 *out, uint8 tag, size_t length)
{
	*out++ = tag;
	if (length >= 0x80)
		*out++ = length < 0x100 ? 0x81 : 0x82;
	if (length >= 0x100)
		*out++ = length >> 8;
	*out++ = length & 0xFF;
	return out;
}

/* Returns the length of a number that DER does not take for a negative one. */
static size_t
integer_length(Number number)
{
	return number.length + (number.bytes[0] >> 7);
}

static size_t
integer_size(Number number)
{
	return header_size(integer_length(number)) + integer_length(number);
}

static uint8 *
put_integer(uint8 *out, Number number)
{
	out = put_header(out, DER_INTEGER, integer_length(number));
	if (number.bytes[0] >> 7 != 0)
		*out++ = 0;
	memcpy(out, number.bytes, number.length);
	return out + number.length;
}

/* Writes a sequence of two numbers, which both a key and a signature are. */
static uint8 *
put_pair(uint8 *out, Number first, Number second)
{
	out = put_header(out, DER_SEQUENCE, integer_size(first) + integer_size(second));
	return put_integer(put_integer(out, first), second);
}

static StewardPublicKey *
read_key(const uint8 *der, size_t length)
{
	StewardPublicKey *key = d2i_PUBKEY(NULL, &der, (long) length);

	ERR_clear_error();
	return key;
}

/* Returns the RSA key of two numbers, NULL if it cannot be used. */
StewardPublicKey *
steward_rsa_key(const uint8 *modulus, size_t modulus_length, const uint8 *exponent, size_t exponent_length)
{
	uint8		der[STEWARD_SIGNATURE_SIZE + 64];
	Number		n = number_of(modulus, modulus_length);
	Number		e = number_of(exponent, exponent_length);
	size_t		pair = integer_size(n) + integer_size(e);
	size_t		bits = 1 + header_size(pair) + pair;
	size_t		length = sizeof(rsa_algorithm) + header_size(bits) + bits;
	uint8	   *out;

	if (header_size(length) + length > sizeof(der))
		return NULL;
	out = put_header(der, DER_SEQUENCE, length);
	memcpy(out, rsa_algorithm, sizeof(rsa_algorithm));
	out = put_header(out + sizeof(rsa_algorithm), DER_BIT_STRING, bits);
	*out++ = 0;
	out = put_pair(out, n, e);
	return read_key(der, out - der);
}

/* Returns the key that a point of P-256 is, NULL if it is not on the curve. */
StewardPublicKey *
steward_p256_key(const uint8 *x, const uint8 *y)
{
	uint8		der[sizeof(p256_beginning) + 2 * STEWARD_P256_SIZE];

	memcpy(der, p256_beginning, sizeof(p256_beginning));
	memcpy(der + sizeof(p256_beginning), x, STEWARD_P256_SIZE);
	memcpy(der + sizeof(p256_beginning) + STEWARD_P256_SIZE, y, STEWARD_P256_SIZE);
	return read_key(der, sizeof(der));
}

void
steward_public_key_free(StewardPublicKey *key)
{
	EVP_PKEY_free(key);
}

/*
 * Tells whether a text was signed with the private part of a key.  The signature
 * is as JWS has it (RFC 7518): for P-256 two numbers, without DER.
 */
bool
steward_public_key_verify(StewardPublicKey *key, const void *text, size_t length,
						  const uint8 *signature, size_t signature_length)
{
	uint8		der[2 * STEWARD_P256_SIZE + 16];
	EVP_MD_CTX *ctx;
	bool		verified;

	if (EVP_PKEY_base_id(key) == EVP_PKEY_EC)
	{
		if (signature_length != 2 * STEWARD_P256_SIZE)
			return false;
		signature_length = put_pair(der, number_of(signature, STEWARD_P256_SIZE),
									number_of(signature + STEWARD_P256_SIZE, STEWARD_P256_SIZE)) - der;
		signature = der;
	}
	else if (signature_length != EVP_PKEY_size(key))
		return false;

	ctx = EVP_MD_CTX_create();
	verified = ctx != NULL &&
		EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
		EVP_DigestVerifyUpdate(ctx, text, length) == 1 &&
		EVP_DigestVerifyFinal(ctx, unconstify(uint8 *, signature), signature_length) == 1;
	EVP_MD_CTX_destroy(ctx);
	ERR_clear_error();
	return verified;
}

#else							/* STEWARD_OPENSSL */

const bool	steward_has_openssl = false;

StewardPublicKey *
steward_rsa_key(const uint8 *modulus, size_t modulus_length, const uint8 *exponent, size_t exponent_length)
{
	return NULL;
}

StewardPublicKey *
steward_p256_key(const uint8 *x, const uint8 *y)
{
	return NULL;
}

void
steward_public_key_free(StewardPublicKey *key)
{
}

bool
steward_public_key_verify(StewardPublicKey *key, const void *text, size_t length,
						  const uint8 *signature, size_t signature_length)
{
	return false;
}

#endif							/* STEWARD_OPENSSL */
