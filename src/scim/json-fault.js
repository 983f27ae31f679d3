// @ts-check

/** What is wrong with a JSON text, as a row of the error table and a detail. It passes from a thread to another as it is. */
export class JsonFault extends Error {
  /**
   * @param {'invalidSyntax' | 'invalidValue' | 'payloadTooLarge'} row
   * @param {string} detail
   */
  constructor(row, detail) {
    super(detail);
    this.row = row;
  }
}
