// The certificate that a host shows to its peers: self-signed, since peers pin the key and ask nobody else. An extension says how the key
// follows from the host's first one.
import { createPublicKey, randomBytes, sign, X509Certificate } from "node:crypto";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
	AlgorithmIdentifier,
	AttributeTypeAndValue,
	AttributeValue,
	Certificate,
	Extension,
	Extensions,
	Name,
	RelativeDistinguishedName,
	SubjectPublicKeyInfo,
	TBSCertificate,
	Validity,
	Version,
} from "@peculiar/asn1-x509";
import { plainBytes } from "./bytes.ts";
import { readElements, writeElement } from "./der.ts";
import { type HostKey, keyOf, type ProvenKey, proveSuccession } from "./host-key.ts";

const ED25519 = "1.3.101.112";
const COMMON_NAME = "2.5.4.3";
/** The succession up to the key before the certificate's, as UTF-8 text; made of a UUID, as ITU-T X.667 has it. */
const SUCCESSION = "2.25.281435085135085222622862460858156100226";
const SUCCESSION_BYTES = "6983a7bab6c08ac78aa6e58eeca8c0e8deaad502";
/** Trust ends with the pairing, not with a date; a host's clock may be wrong. */
const VALIDITY = { notBefore: new Date("2020-01-01"), notAfter: new Date("2099-12-31") };

const TAG = { octets: 0x04, oid: 0x06, text: 0x0c, sequence: 0x30, extensions: 0xa3 };

const serialNumber = (): ArrayBuffer => {
	const bytes = new Uint8Array(16);
	bytes.set(randomBytes(16));
	bytes[0] = 1;
	return bytes.buffer;
};

/** What is before the certificate's own key in a succession, with the dot; empty for a first key. */
const earlierIn = (succession: string): string =>
	succession.slice(0, succession.lastIndexOf(".") + 1);

const extensionsOf = (succession: string): { extensions?: Extensions } => {
	const earlier = earlierIn(succession);
	if (earlier === "") return {};
	const value = writeElement(TAG.text, plainBytes(Buffer.from(earlier)));
	const extension = new Extension({ extnID: SUCCESSION, extnValue: new OctetString(value) });
	return { extensions: new Extensions([extension]) };
};

/** A self-signed certificate of a host's key, as PEM. */
export const createCertificate = ({ privateKey, succession }: HostKey): string => {
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
		...extensionsOf(succession),
	});
	const signed = new Uint8Array(AsnConvert.serialize(tbsCertificate));
	const certificate = new Certificate({
		tbsCertificate,
		signatureAlgorithm: algorithm,
		signatureValue: plainBytes(sign(null, signed, privateKey)).buffer,
	});
	return new X509Certificate(new Uint8Array(AsnConvert.serialize(certificate))).toString();
};

/** The one element of a tag within another; undefined when there is none, or several. */
const only = (within: Uint8Array | undefined, tag: number): Uint8Array | undefined => {
	const found = (readElements(within ?? new Uint8Array()) ?? []).filter((one) => one.tag === tag);
	return found.length === 1 ? found[0]?.content : undefined;
};

/** What stands before the certificate's key in its succession; empty where it says nothing. Undefined when that cannot be read. */
const earlierKeys = (der: Uint8Array): string | undefined => {
	const certificate = only(der, TAG.sequence);
	const [tbs] = readElements(certificate ?? new Uint8Array()) ?? [];
	const extensions = only(only(tbs?.content, TAG.extensions), TAG.sequence);
	const values = (readElements(extensions ?? new Uint8Array()) ?? []).flatMap(({ content }) => {
		const oid = only(content, TAG.oid);
		const isOurs = oid !== undefined && Buffer.from(oid).toString("hex") === SUCCESSION_BYTES;
		return isOurs ? [only(only(content, TAG.octets), TAG.text)] : [];
	});
	if (values.length === 0) return "";
	const [value] = values;
	return value === undefined || values.length > 1
		? undefined
		: Buffer.from(value).toString("latin1");
};

/** The host that a certificate is of, and its keys up to the certificate's, whatever else it says. Undefined when it cannot be read, or a key did not sign for the next. Never throws. */
export const certifiedHost = (der: Buffer | undefined): ProvenKey | undefined => {
	if (der === undefined || der.length === 0) return undefined;
	try {
		const bytes = plainBytes(der);
		const key = keyOf(new X509Certificate(bytes).publicKey);
		const earlier = earlierKeys(bytes);
		if (key === undefined || earlier === undefined) return undefined;
		return proveSuccession(earlier + key);
	} catch {
		return undefined;
	}
};
