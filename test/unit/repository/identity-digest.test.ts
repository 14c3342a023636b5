import test from "ava";
import fc from "fast-check";
import {
	canonicalJson,
	identityDigest,
} from "../../../apps/host-daemon/src/repository/identity-digest.ts";
import { anIdentity } from "../../support/builders/manifest.ts";

test("canonicalJson › sorts keys at every depth and leaves white space and undefined out", (t) => {
	const value = { b: [1, { d: null, c: "ä\n" }], a: true, e: undefined };
	t.is(canonicalJson(value), '{"a":true,"b":[1,{"c":"ä\\n","d":null}]}');
});

test("canonicalJson › refuses what JSON cannot say", (t) => {
	for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 1n, () => 1]) {
		t.throws(() => canonicalJson({ value }), { message: /JSON cannot say/ });
	}
});

test("canonicalJson › gives one text to values that differ in the order of their keys only", (t) => {
	const reversed = (value: unknown): unknown => {
		if (Array.isArray(value)) return value.map(reversed);
		if (typeof value !== "object" || value === null) return value;
		const entries = Object.entries(value).reverse();
		return Object.fromEntries(entries.map(([key, inner]) => [key, reversed(inner)]));
	};
	fc.assert(
		fc.property(fc.jsonValue(), (value) => {
			const text = canonicalJson(value);
			return text === canonicalJson(reversed(value)) && canonicalJson(JSON.parse(text)) === text;
		}),
	);
	t.pass();
});

test("identityDigest › never changes for a given identity: children know their parents by it", (t) => {
	t.is(
		identityDigest(anIdentity()),
		"fb6821dbef4fa6db9c44181f8b7db3892f48662d43a7e0184e59b90c5cd4f247",
	);
});

test("identityDigest › differs when any part of the identity does", (t) => {
	const base = anIdentity();
	const digests = [
		base,
		anIdentity({ fencing: 2 }),
		anIdentity({ nonce: "00".repeat(32) }),
		anIdentity({ pointInTime: "2026-01-02T03:04:05.001Z" }),
		anIdentity({ disks: [{ target: "vda", virtualSize: 1 }] }),
	].map(identityDigest);
	t.is(new Set(digests).size, digests.length);
});
