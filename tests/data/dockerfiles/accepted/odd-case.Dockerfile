from scratch As Stage-1.x_Y
rUn echo a
Copy a b /c/
