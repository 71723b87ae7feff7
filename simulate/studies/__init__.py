"""Results of neighbouring papers re-run here: each predicts a number, measures it and says whether it holds.

`kdshift simulate run smoothed-l1 | smoothed-w2 | capacity-gap | cross-fitting | patience`.
"""
