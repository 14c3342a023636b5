// The certificate that a host shows to its peers: self-signed, since peers pin the key and ask nobody else.
import { createPublicKey, type KeyObject, randomBytes, sign, X509Certificate } from "node:crypto";
import { AsnConvert } from "@peculiar/asn1-schema";
import {
	AlgorithmIdentifier,
	AttributeTypeAndValue,
	AttributeValue,
	Certificate,
	Name,
	RelativeDistinguishedName,
	SubjectPublicKeyInfo,
	TBSCertificate,
	Validity,
	Version,
} from "@peculiar/asn1-x509";
import { plainBytes } from "./bytes.ts";
import { hostIdOf } from "./signing.ts";

const ED25519 = "1.3.101.112";
const COMMON_NAME = "2.5.4.3";
/** Trust ends with the pairing, not with a date; a host's clock may be wrong. */
const VALIDITY = { notBefore: new Date("2020-01-01"), notAfter: new Date("2099-12-31") };

const serialNumber = (): ArrayBuffer => {
	const bytes = new Uint8Array(16);
	bytes.set(randomBytes(16));
	bytes[0] = 1;
	return bytes.buffer;
};

/** A self-signed certificate of an Ed25519 key, as PEM. */
export const createCertificate = (privateKey: KeyObject): string => {
	const spki = createPublicKey(privateKey).export({ type: "spki", format: "der" });
	const algorithm = new AlgorithmIdentifier({ algorithm: ED25519 });
	const name = new Name([
		new RelativeDistinguishedName([
			new AttributeTypeAndValue({
				type: COMMON_NAME,
				value: new AttributeValue({ utf8String: "knib" }),
			}),
		]),
	]);
	const tbsCertificate = new TBSCertificate({
		version: Version.v3,
		serialNumber: serialNumber(),
		signature: algorithm,
		issuer: name,
		subject: name,
		validity: new Validity(VALIDITY),
		subjectPublicKeyInfo: AsnConvert.parse(plainBytes(spki).buffer, SubjectPublicKeyInfo),
	});
	const signed = new Uint8Array(AsnConvert.serialize(tbsCertificate));
	const certificate = new Certificate({
		tbsCertificate,
		signatureAlgorithm: algorithm,
		signatureValue: plainBytes(sign(null, signed, privateKey)).buffer,
	});
	return new X509Certificate(new Uint8Array(AsnConvert.serialize(certificate))).toString();
};

/** The id of the host that a certificate is of: the SHA-256 of its key, whatever else it says. Undefined when it cannot be read. */
export const certifiedHost = (der: Buffer | undefined): string | undefined => {
	if (der === undefined || der.length === 0) return undefined;
	try {
		return hostIdOf(new X509Certificate(plainBytes(der)).publicKey);
	} catch {
		return undefined;
	}
};
