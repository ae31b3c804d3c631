"""How the desk weighs what came in: grades by sealed votes, origins, and findings.

Software finds and proposes; a grade is two or more people's, and a decision the board's.
"""
