// Whether a peer's document says something that this knib understands: what does not is dropped and counted before it is merged.
import {
	type DocumentBody,
	type DocumentKind,
	intentBodySchema,
	isSelectorId,
	jobSchema,
	memberBodySchema,
	memberOf,
	offeringSchema,
	scheduleSchema,
	selectorSchema,
} from "@knib/core";
import type { z } from "zod";
import { alertBodySchema } from "../catalog/alert-book.ts";
import {
	backupBodySchema,
	chainBodySchema,
	hostBodySchema,
	repositoryBodySchema,
	settingsBodySchema,
	vmBodySchema,
} from "../catalog/bodies.ts";

const SCHEMAS: Readonly<Partial<Record<DocumentKind, z.ZodType>>> = {
	host: hostBodySchema,
	vm: vmBodySchema,
	repository: repositoryBodySchema,
	offering: offeringSchema,
	schedule: scheduleSchema,
	chain: chainBodySchema,
	backup: backupBodySchema,
	job: jobSchema,
	intent: intentBodySchema,
	setting: settingsBodySchema,
	alert: alertBodySchema,
};

const schemaOf = (kind: DocumentKind, id: string): z.ZodType | undefined => {
	if (kind === "setting" && memberOf(id) !== undefined) return memberBodySchema;
	return kind === "repository" && isSelectorId(id) ? selectorSchema : SCHEMAS[kind];
};

/** True when the body is one of its kind. */
export const fits = (kind: DocumentKind, id: string, body: DocumentBody): boolean => {
	const schema = schemaOf(kind, id);
	return schema === undefined || schema.safeParse(body).success;
};
