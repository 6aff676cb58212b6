//! Parts of the project's documents that are generated: what stands between two comments is made of files in the checkout, and `cargo xtask test`
//! fails where it is not what they give.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::tools;

/// A generated part of a document.
pub struct Block {
    /// The document, from the checkout's root.
    pub document: &'static str,
    /// What the comments call it.
    pub name: &'static str,
    pub text: String,
}

impl Block {
    /// The document as it is and as it should be.
    fn both(&self, path: &Path) -> Result<(String, String)> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let wanted = self.inserted(&text).with_context(|| self.document)?;
        Ok((text, wanted))
    }

    fn inserted(&self, text: &str) -> Result<String> {
        let begin = format!("<!-- {}, generated -->\n", self.name);
        let end = format!("<!-- end of {} -->\n", self.name);
        let (before, rest) =
            text.split_once(&begin).with_context(|| format!("there is no line `{}`", begin.trim()))?;
        let (_, after) =
            rest.split_once(&end).with_context(|| format!("there is no line `{}`", end.trim()))?;
        Ok(format!("{before}{begin}{}{end}{after}", self.text))
    }

    /// Writes it into its document.
    pub fn write(&self) -> Result<()> {
        let path = tools::root().join(self.document);
        let (text, wanted) = self.both(&path)?;
        if text != wanted {
            std::fs::write(&path, wanted).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }

    /// Fails if its document has something else.
    pub fn check(&self) -> Result<()> {
        let (text, wanted) = self.both(&tools::root().join(self.document))?;
        if text != wanted {
            bail!(
                "{}: {} is out of date; run `cargo xtask bench --from docs/bench.json --html`",
                self.document,
                self.name
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Block;

    #[test]
    fn what_is_between_the_comments_is_replaced() {
        let block = Block { document: "x", name: "the table", text: "new\n".to_owned() };
        let text = "a\n<!-- the table, generated -->\nold\n<!-- end of the table -->\nb\n";
        assert_eq!(block.inserted(text).unwrap(), text.replace("old", "new"));
        assert!(block.inserted("a\n").is_err());
    }
}
