/** The bytes of a buffer in an array of their own. The types of a store's library make Buffer no Uint8Array in this package. */
export const plainBytes = (buffer: ArrayLike<number>): Uint8Array<ArrayBuffer> => {
	const copy = new Uint8Array(buffer.length);
	copy.set(buffer);
	return copy;
};

/** A text as UTF-8. */
export const utf8 = (text: string): Uint8Array<ArrayBuffer> => plainBytes(Buffer.from(text));
