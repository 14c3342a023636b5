// Successions of a host's keys, signatures by them, and certificates that show them: what holds, and what nobody may get through with.
import { createPrivateKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { keyNumber, keysOf, keyText, LONGEST_SIGNATURE, MOST_KEYS } from "@knib/core";
import {
	certifiedHost,
	createCertificate,
	createSigner,
	createVerifier,
	firstKey,
	type HostKey,
	nextKey,
	proveSuccession,
} from "@knib/sync";
import test from "ava";
import fc from "fast-check";
import { aKey, idOf, newPrivateKey } from "./hosts.ts";

/** A host's keys, one after the other; the first has number 1. */
const keysOfHost = (count: number): readonly HostKey[] => {
	const keys = [aKey()];
	while (keys.length < count) {
		const last = keys.at(-1);
		if (last !== undefined) keys.push(nextKey(last, newPrivateKey()));
	}
	return keys;
};
const keyAt = (keys: readonly HostKey[], number: number): HostKey => {
	const key = keys[number - 1];
	if (key === undefined) throw new Error(`there is no key ${number}`);
	return key;
};
const signBy = (key: HostKey) => createSigner(() => key);
const derOf = (key: HostKey): Buffer => new X509Certificate(createCertificate(key)).raw;

const LIFE = keysOfHost(MOST_KEYS);
const [FIRST, SECOND, THIRD] = [1, 2, 3].map((number) => keyAt(LIFE, number)) as [
	HostKey,
	HostKey,
	HostKey,
];
const HOST = idOf(FIRST);
const OTHER = keysOfHost(3);

test("succession › of every key is of the host of the first one, as are its signatures", (t) => {
	const verify = createVerifier();
	for (const [at, key] of LIFE.entries()) {
		t.is(keyNumber(key.succession), at + 1);
		t.is(idOf(key), HOST);
		const sig = signBy(key)("a text");
		t.true(sig.length <= LONGEST_SIGNATURE);
		t.true(verify(HOST, "a text", sig));
		t.false(verify(HOST, "another text", sig));
		t.false(verify(idOf(keyAt(OTHER, 1)), "a text", sig));
	}
	t.is(signBy(keyAt(LIFE, MOST_KEYS))("a text").length, LONGEST_SIGNATURE);
	t.throws(() => nextKey(keyAt(LIFE, MOST_KEYS), newPrivateKey()), { instanceOf: RangeError });
});

test("succession › of one key signs as it always did: the key, a dot, the signature", (t) => {
	const pem =
		"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n-----END PRIVATE KEY-----\n";
	const key = firstKey(createPrivateKey(pem));
	t.is(idOf(key), "a050837d85070582ccf7394b0988847cc312cb88259b894899f6f239cf1791a5");
	t.regex(signBy(key)("a text"), /^A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg\.[\w-]{86}$/);
});

test("succession › that is forged, cut, re-ordered, mixed or too long is none", (t) => {
	const parts = THIRD.succession.split(".");
	const [k1 = "", s1 = "", k2 = "", s2 = "", k3 = ""] = parts;
	const thief = aKey();
	const forged =
		signBy(thief)(keyText(HOST, 2, thief.succession))
			.split(".")
			.at(-1) ?? "";
	const foreign = keyAt(OTHER, 3).succession.split(".");
	const wrong: Readonly<Record<string, string>> = {
		"signed by nobody": [k1, s1, k3].join("."),
		"signed by another key": [k1, forged, thief.succession].join("."),
		"without the first key": [k2, s2, k3].join("."),
		"keys exchanged": [k2, s1, k1, s2, k3].join("."),
		"signatures exchanged": [k1, s2, k2, s1, k3].join("."),
		"a key left out": [k1, s2, k3].join("."),
		"another host's step": [k1, s1, k2, foreign[3], foreign[4]].join("."),
		"the same step twice": [k1, s1, k2, s1, k2].join("."),
		"no key at the end": [k1, s1].join("."),
		"a dot too much": `${THIRD.succession}.`,
		"too long": `${keyAt(LIFE, MOST_KEYS).succession}.${s1}.${k2}`,
		nothing: "",
	};
	const verify = createVerifier();
	for (const [why, text] of Object.entries(wrong)) {
		const proven = proveSuccession(text);
		t.true(proven === undefined || proven.host !== HOST, why);
		for (const key of [FIRST, SECOND, THIRD, thief]) {
			const sig = `${text}.${signBy(key)("a text").split(".").at(-1)}`;
			t.false(verify(HOST, "a text", sig), why);
		}
	}
});

test("succession › a key that is written in another way is none", (t) => {
	// The last digit of 43 stands for 4 bits of 6: three other digits stand for the same ones.
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const last = alphabet.indexOf(FIRST.succession.at(-1) ?? "");
	const other = FIRST.succession.slice(0, -1) + alphabet[last + 1];
	t.deepEqual(Buffer.from(other, "base64url"), Buffer.from(FIRST.succession, "base64url"));
	t.is(proveSuccession(other), undefined);
});

test("succession › with any character changed is not this host's by these keys", (t) => {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
	const text = THIRD.succession;
	fc.assert(
		fc.property(fc.nat({ max: text.length - 1 }), fc.constantFrom(...digits), (at, digit) => {
			const changed = text.slice(0, at) + digit + text.slice(at + 1);
			if (changed === text) return;
			t.is(proveSuccession(changed), undefined, `${at}${digit}`);
		}),
		{ numRuns: 1000 },
	);
});

test("succession › takes Ed25519 keys only", (t) => {
	const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
	t.throws(() => firstKey(privateKey), { instanceOf: TypeError });
	t.throws(() => nextKey(FIRST, privateKey), { instanceOf: TypeError });
});

test("certificate › shows the host and its keys, whichever it is of", (t) => {
	for (const number of [1, 2, 3, MOST_KEYS]) {
		const key = keyAt(LIFE, number);
		const shown = certifiedHost(derOf(key));
		t.is(shown?.host, HOST);
		t.is(shown?.succession, key.succession);
	}
});

test("certificate › that shows keys which did not sign for its own is of nobody", (t) => {
	const thief = newPrivateKey();
	const claim = (succession: string): HostKey => ({ privateKey: thief, succession });
	const own = firstKey(thief).succession;
	const earlier = THIRD.succession.slice(0, THIRD.succession.lastIndexOf(".") + 1);
	t.is(certifiedHost(derOf(claim(earlier + own))), undefined);
	t.is(certifiedHost(derOf(claim(`nonsense.${own}`))), undefined);
	t.is(certifiedHost(derOf(claim(`${"A".repeat(20_000)}.${own}`))), undefined);
	// A key that signed for itself is another host's first one.
	t.not(certifiedHost(derOf(claim(own)))?.host, HOST);
});

test("certificate › whatever bytes come, is of nobody or of who made it", (t) => {
	const whole = derOf(THIRD);
	const isWell = (bytes: Buffer): void => {
		const shown = certifiedHost(bytes);
		if (shown === undefined || shown.host !== HOST) return;
		t.deepEqual(keysOf(shown.succession), keysOf(THIRD.succession));
	};
	for (let length = 0; length < whole.length; length += 1) {
		t.is(certifiedHost(whole.subarray(0, length)), undefined);
	}
	fc.assert(
		fc.property(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 255 }), (at, byte) => {
			const changed = Buffer.from(whole);
			changed[at] = byte;
			isWell(changed);
		}),
		{ numRuns: 2000 },
	);
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
			t.is(certifiedHost(Buffer.from(bytes)), undefined);
		}),
		{ numRuns: 500 },
	);
	// Deeper than any stack, and lengths that lead nowhere.
	for (const unit of [
		[0x30, 0x80],
		[0xa3, 0x80],
		[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
		[0x30, 0x00],
	]) {
		const deep = Buffer.concat(Array.from({ length: 50_000 }, () => Buffer.from(unit)));
		t.is(certifiedHost(deep), undefined);
	}
});
