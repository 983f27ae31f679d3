/** How rows `r` of one table become the JSON text of their resources. */
export interface RepresentationSql {
  /** Joins to the row `r`. */
  readonly joins: string;
  /** The expression of the complete JSON text. */
  readonly text: string;
}
