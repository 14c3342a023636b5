// Where RxDB's types and ours have to be brought together, so that it happens nowhere else.
import { StoreError } from "@knib/core";
import {
	getPrimaryFieldOfPrimaryKey,
	type RxDocumentData,
	type RxJsonSchema,
	type StringKeys,
} from "rxdb/plugins/core";

/** The name of the primary field. RxDB types it over the document with its meta fields, among which it never is. */
export const primaryPathOf = <T>(schema: Readonly<RxJsonSchema<RxDocumentData<T>>>) =>
	getPrimaryFieldOfPrimaryKey(schema.primaryKey) as StringKeys<T>;

const isStored = (value: unknown): boolean =>
	typeof value === "object" &&
	value !== null &&
	"_rev" in value &&
	typeof value._rev === "string" &&
	"_deleted" in value &&
	typeof value._deleted === "boolean" &&
	"_meta" in value &&
	typeof value._meta === "object";

/** A document of RxDB as the log gave it back. Throws STORE_FORMAT when it is none. */
export const parseStored = <T>(key: string, value: unknown): RxDocumentData<T> => {
	if (isStored(value)) return value as RxDocumentData<T>;
	throw new StoreError("STORE_FORMAT", `${key} of the log is no document`);
};
